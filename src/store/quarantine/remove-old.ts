import { FINAL_STATES_SQL } from '../job-change.js';
import type { Queryable } from '../pool.js';

/**
 * Removes quarantined rows that are so old, as the jobs that set them aside are; a batch, so that nobody waits long for its
 * locks. Rows of a job that still runs, or are being replayed, are needed yet.
 */
export async function removeOldQuarantine(db: Queryable, days: number, limit: number): Promise<number> {
  const cutoff = `statement_timestamp() - $1 * interval '1 day'`;
  const { rowCount } = await db.query(
    `with old as (
       select bad.id from sluice.quarantine as bad left join sluice.job as job on job.id = bad.job_id
       where bad.created_at < ${cutoff} and bad.status <> 'REPLAYING'
         and (job.id is null or job.state in (${FINAL_STATES_SQL}) and job.finished_at < ${cutoff})
       limit $2 for update of bad skip locked
     )
     delete from sluice.quarantine as bad using old where bad.id = old.id`,
    [days, limit],
  );
  return rowCount ?? 0;
}
