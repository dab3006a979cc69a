import { IS_CLAIMABLE } from './claimable.js';
import type { Queryable } from './pool.js';

/** Loads into the target wait while any escalation says so. Again changes nothing. */
export async function pauseTarget(db: Queryable, tenant: string, target: string, escalationId: string): Promise<void> {
  await db.query(
    `insert into sluice.target_pause (tenant, target, escalation_id) values ($1, $2, $3) on conflict do nothing`,
    [tenant, target, escalationId],
  );
}

/** A job that was held back. */
export interface Waiting {
  readonly id: string;
  readonly priority: number;
  readonly last_seq: bigint;
}

const MOST_OFFERED = 500;

/**
 * The escalation no longer holds the target back.
 * @returns jobs that may go on by that; of a great many the sweeper offers the rest
 */
export async function releaseTarget(
  db: Queryable,
  tenant: string,
  target: string,
  escalationId: string,
): Promise<readonly Waiting[]> {
  const { rowCount } = await db.query(
    'delete from sluice.target_pause where tenant = $1 and target = $2 and escalation_id = $3',
    [tenant, target, escalationId],
  );
  if (rowCount === 0) return [];
  const { rows } = await db.query<Waiting>(
    `select job.id, job.priority, job.last_seq from sluice.job as job
     where job.tenant = $1 and job.state = 'QUEUED' and job.target = $2 and ${IS_CLAIMABLE}
     order by job.created_at limit ${MOST_OFFERED}`,
    [tenant, target],
  );
  return rows;
}
