import type { Queryable } from './pool.js';

/** Whether loads into the target of `job` wait; nothing is claimed then that would write to it. */
export const IS_PAUSED = `exists (
  select from sluice.target_pause as pause where pause.tenant = job.tenant and pause.target = job.target)`;

/** Loads into the target wait while any escalation says so. Again changes nothing. */
export async function pauseTarget(db: Queryable, tenant: string, target: string, escalationId: string): Promise<void> {
  await db.query(
    `insert into sluice.target_pause (tenant, target, escalation_id) values ($1, $2, $3) on conflict do nothing`,
    [tenant, target, escalationId],
  );
}

/** The escalation no longer holds the target back; the sweeper offers again what waited, once no other does. */
export async function releaseTarget(
  db: Queryable,
  tenant: string,
  target: string,
  escalationId: string,
): Promise<void> {
  await db.query('delete from sluice.target_pause where tenant = $1 and target = $2 and escalation_id = $3', [
    tenant,
    target,
    escalationId,
  ]);
}
