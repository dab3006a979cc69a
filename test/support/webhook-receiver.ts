import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

export interface ReceivedCall {
  /** The `webhook-id`: the same in every try of a notification. */
  readonly id: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** The message, when one of the receiver's secrets signed it. */
  readonly message: unknown;
  readonly isVerified: boolean;
}

/** Writes an answer; 204 by default. */
export type Answer = (call: ReceivedCall, response: ServerResponse) => void;

export interface WebhookReceiver {
  /** Of this machine, so that SLUICE_WEBHOOK_ALLOW has to name it. */
  readonly url: string;
  readonly calls: readonly ReceivedCall[];
  /** Verified messages, each once, by their `webhook-id`. */
  readonly messages: ReadonlyMap<string, unknown>;
  /** From now on. */
  answer(answer: Answer): void;
  close(): Promise<void>;
}

export const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (_call, response) => {
    response.writeHead(code, headers).end();
  };

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/**
 * A server that checks the signature of each call with the secret and hands the call over; what nobody signed is
 * refused. It keeps nothing.
 */
export async function startWebhookServer(
  secret: string,
  receive: (call: ReceivedCall, response: ServerResponse) => void,
): Promise<Pick<WebhookReceiver, 'url' | 'close'>> {
  const webhook = new Webhook(secret);

  function verified(body: string, headers: IncomingMessage['headers']): { message: unknown } | null {
    try {
      return { message: webhook.verify(body, headers as Record<string, string>) };
    } catch {
      return null;
    }
  }

  async function read(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request);
    const found = verified(body, request.headers);
    const id = String(request.headers['webhook-id']);
    const { headers, url: path = '/' } = request;
    receive({ id, path, headers, body, message: found?.message, isVerified: found !== null }, response);
    if (!found) response.writeHead(401).end();
  }

  const server = createServer((request, response) => {
    read(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/hook`,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** What an agent has to do: check the signature with its secret, drop repetitions by `webhook-id`, answer 2xx soon. */
export async function startWebhookReceiver(secret: string): Promise<WebhookReceiver> {
  const calls: ReceivedCall[] = [];
  const messages = new Map<string, unknown>();
  let answer = status(204);
  const server = await startWebhookServer(secret, (call, response) => {
    calls.push(call);
    if (!call.isVerified) return;
    if (!messages.has(call.id)) messages.set(call.id, call.message);
    answer(call, response);
  });
  return {
    ...server,
    calls,
    messages,
    answer(next) {
      answer = next;
    },
  };
}
