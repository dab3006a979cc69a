import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';

export interface TestSmtpServer {
  readonly url: string;
  readonly port: number;
  /** As they came, headers and body, with those they are for. */
  readonly mails: readonly { readonly to: readonly string[]; readonly raw: string }[];
  /** The answer to RCPT from now on, e.g. 550 or 451; null accepts. */
  refuseRecipients(code: number | null): void;
  close(): Promise<void>;
}

/** A real SMTP server without TLS and passwords. @param port 0 takes any free one */
export async function startSmtpServer(port = 0): Promise<TestSmtpServer> {
  const mails: { to: string[]; raw: string }[] = [];
  let refusal: number | null = null;
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS', 'AUTH'],
    disableReverseLookup: true,
    logger: false,
    onRcptTo(_address, _session, done) {
      done(refusal === null ? null : Object.assign(new Error('refused'), { responseCode: refusal }));
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const to = session.envelope.rcptTo.map(({ address }) => address);
        mails.push({ to, raw: Buffer.concat(chunks).toString() });
        done();
      });
    },
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const address = server.server.address() as AddressInfo;
  return {
    url: `smtp://127.0.0.1:${address.port}`,
    port: address.port,
    mails,
    refuseRecipients(code) {
      refusal = code;
    },
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}
