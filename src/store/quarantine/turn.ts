import type { Queryable } from '../pool.js';

/**
 * Waits until no other transaction changes the quarantined rows of the job, and keeps others waiting until this one ends.
 * Two that took the rows of one job in different orders would be a deadlock.
 */
export async function takeTurn(db: Queryable, jobId: string): Promise<void> {
  await db.query(`select pg_advisory_xact_lock(hashtextextended('sluice.quarantine ' || $1, 0))`, [jobId]);
}
