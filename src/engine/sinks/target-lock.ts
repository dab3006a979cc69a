import type { PoolClient } from 'pg';

// Readers queue up behind a lock that waits for a long reader: rather fail (55P03, retried) than stall them for long.
const LOCK_TIMEOUT_MS = 5000;

/**
 * Runs a statement that takes a lock, in an open transaction; fails with SQLSTATE 55P03 when it does not get it within
 * 5 s, or a shorter lock_timeout of the session.
 */
export async function withLockTimeout(client: PoolClient, lock: () => Promise<unknown>): Promise<void> {
  const sql = `SELECT setting::integer AS ms FROM pg_settings WHERE name = 'lock_timeout'`;
  const before = (await client.query<{ ms: number }>(sql)).rows[0]?.ms ?? 0;
  const set = (ms: number) => client.query(`SELECT set_config('lock_timeout', $1, true)`, [`${ms}ms`]);
  // 0 is no limit.
  await set(before === 0 ? LOCK_TIMEOUT_MS : Math.min(before, LOCK_TIMEOUT_MS));
  await lock();
  await set(before);
}

/**
 * Lets jobs that create or swap one table take turns, to the end of the transaction. It holds up nobody else, so it
 * may be waited for as long as the other job takes.
 */
export async function takeTurn(
  client: PoolClient,
  { schema, table }: { schema: string; table: string },
): Promise<void> {
  const name = JSON.stringify(['sluice', schema, table]);
  await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [name]);
}
