import type { Pool, PoolClient } from './pool.js';

/** pg keeps it on its client, but its types do not tell. */
function serverProcessOf(client: PoolClient): number | null {
  return 'processID' in client && typeof client.processID === 'number' ? client.processID : null;
}

/**
 * A transaction whose running statement, COPY included, ends when the signal aborts: another connection asks the
 * server to cancel it. Rejects with the signal's reason then, and nothing is committed.
 */
export async function cancellableTransaction<T>(
  pool: Pool,
  signal: AbortSignal,
  work: (client: PoolClient) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const client = await pool.connect();
  let cancelling: Promise<unknown> | undefined;
  const pid = serverProcessOf(client);
  const cancel = () => {
    cancelling = pool.query('select pg_cancel_backend($1)', [pid]).catch(() => undefined);
  };
  signal.addEventListener('abort', cancel);
  try {
    await client.query('begin');
    signal.throwIfAborted();
    const result = await work(client);
    signal.throwIfAborted();
    await client.query('commit');
    return result;
  } catch (error) {
    if (!signal.aborted) await client.query('rollback').catch(() => undefined);
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener('abort', cancel);
    await cancelling;
    // A cancel may still be on its way to the server and would hit the next user of the connection.
    client.release(signal.aborted || undefined);
  }
}
