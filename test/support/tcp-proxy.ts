import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** Stands between a client and a server, so that a test can take the server away from this client alone. */
export interface TcpProxy {
  /** The URL of the server, by way of the proxy. */
  readonly url: string;
  /** Connections that are open now. */
  open(): number;
  /** Breaks every connection and refuses new ones, as when the server was killed. */
  down(): Promise<void>;
  /** Keeps connections open, takes new ones, and lets nothing through, as when a network has forgotten them. */
  silence(): void;
  /** Breaks every connection; new ones are taken. */
  cut(): void;
  /** The server is there again. What is held back since `silence` is lost with its connection. */
  up(): Promise<void>;
  close(): Promise<void>;
}

/**
 * @param serverUrl with a host and a port, e.g. `redis://127.0.0.1:6379`
 * @param alter changes what the server says on its way
 */
export async function startTcpProxy(
  serverUrl: string,
  alter: (said: Buffer) => Buffer = (said) => said,
): Promise<TcpProxy> {
  const target = new URL(serverUrl);
  const pairs = new Set<readonly [client: Socket, server: Socket]>();
  let isSilent = false;

  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    const pair = [client, upstream] as const;
    pairs.add(pair);
    const forward = (from: Socket, to: Socket) => {
      from.on('data', (data) => !isSilent && to.write(from === upstream ? alter(data) : data));
      from.on('error', () => undefined);
      from.once('close', () => {
        pairs.delete(pair);
        to.destroy();
      });
    };
    forward(client, upstream);
    forward(upstream, client);
  });
  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('The proxy has no port.');
    return address.port;
  };
  const cut = () => {
    for (const [client, upstream] of pairs) {
      client.resetAndDestroy();
      upstream.destroy();
    }
  };
  const down = async () => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    cut();
    await closed;
  };

  const port = await listen(0);
  const url = new URL(serverUrl);
  url.host = `127.0.0.1:${port}`;
  return {
    url: url.href,
    open: () => pairs.size,
    cut,
    down,
    silence() {
      isSilent = true;
    },
    async up() {
      if (isSilent) cut();
      isSilent = false;
      if (!server.listening) await listen(port);
    },
    close: down,
  };
}
