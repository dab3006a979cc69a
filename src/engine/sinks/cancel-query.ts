import { createConnection } from 'node:net';
import type { PoolClient } from 'pg';

// Major 1234, minor 5678: "CancelRequest" in "Message Formats" of the PostgreSQL documentation.
const CANCEL_CODE = 80_877_102;

interface Backend {
  readonly host: string;
  readonly port: number;
  readonly processId: number;
  readonly secretKey: number;
}

/** pg keeps these on its client, but its types do not tell; without them nothing can be cancelled from outside. */
function backendOf(client: object): Backend | null {
  const { host, port, processID, secretKey } = { host: null, port: null, processID: null, secretKey: null, ...client };
  if (typeof host !== 'string' || typeof port !== 'number') return null;
  if (typeof processID !== 'number' || typeof secretKey !== 'number') return null;
  return { host, port, processId: processID, secretKey };
}

/**
 * Asks the server to cancel what the client runs now (it then fails with SQLSTATE 57014), over a connection of its
 * own. Resolves once the server has taken the request; never rejects, for there is nothing to do about it.
 */
export function cancelQuery(client: PoolClient): Promise<void> {
  const backend = backendOf(client);
  if (!backend) return Promise.resolve();
  const { host, port } = backend;
  const request = Buffer.alloc(16);
  request.writeInt32BE(16, 0);
  request.writeInt32BE(CANCEL_CODE, 4);
  request.writeInt32BE(backend.processId, 8);
  request.writeInt32BE(backend.secretKey, 12);
  return new Promise((resolve) => {
    const socket = host.startsWith('/') ? createConnection(`${host}/.s.PGSQL.${port}`) : createConnection(port, host);
    socket.once('connect', () => socket.end(request));
    socket.on('error', () => resolve());
    // The server closes the connection when it has sent the signal.
    socket.once('close', () => resolve());
    socket.resume();
  });
}

/**
 * Runs `work` on the client; when the signal aborts, its query is cancelled at the server, even one that waits for a lock.
 * @throws the signal's reason once it has aborted, whatever `work` ended with
 */
export async function cancellable<T>(client: PoolClient, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  let cancelled: Promise<void> | undefined;
  const onAbort = () => {
    cancelled = cancelQuery(client);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const result = await work();
    signal.throwIfAborted();
    return result;
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener('abort', onAbort);
    // A request on its way must not hit the next query of this client.
    await cancelled;
  }
}
