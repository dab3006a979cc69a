import { hostname } from 'node:os';
import type { Pool } from '../../../src/store/pool.js';

const LEASE_TEXT = '6 s';

/** The leases of a process that is gone run out, and nothing of its jobs has moved for as long: six seconds pass for them. */
export async function leasesRunOut(pool: Pool, pid: number): Promise<void> {
  const worker = `${hostname()}:${pid}:%`;
  await pool.query(
    `update sluice.chunk set lease_until = statement_timestamp() where lease_token is not null and worker like $1`,
    [worker],
  );
  await pool.query(
    `update sluice.job set lease_until = statement_timestamp(), updated_at = updated_at - $2::interval
     where lease_until is not null and worker like $1`,
    [worker, LEASE_TEXT],
  );
  await pool.query(
    `update sluice.job set updated_at = updated_at - $1::interval where state in ('QUEUED', 'RUNNING')`,
    [LEASE_TEXT],
  );
}

/** What waits to be tried again is due now. */
export async function retriesAreDue(pool: Pool): Promise<void> {
  await pool.query(
    `update sluice.job set due_at = statement_timestamp() where state = 'RETRYING' and due_at > statement_timestamp()`,
  );
  await pool.query(
    `update sluice.chunk set due_at = statement_timestamp()
     where state = 'PENDING' and due_at > statement_timestamp()`,
  );
}
