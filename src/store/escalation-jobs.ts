import { SluiceError } from '../core/errors.js';
import type { Queryable } from './pool.js';

/** Jobs of an escalation (`$2`): its own, and those of the reports that it took up. */
const OF_ESCALATION = `id in (
  select job_id from sluice.failure_report where escalation_id = $2 and job_id is not null
  union select job_id from sluice.escalation where id = $2 and job_id is not null)`;

/** Those of its jobs that await a decision now, oldest first. */
export async function heldJobs(db: Queryable, tenant: string, escalationId: string): Promise<readonly string[]> {
  const { rows } = await db.query<{ id: string }>(
    `select id from sluice.job where tenant = $1 and state = 'AWAITING_DECISION' and ${OF_ESCALATION}
     order by created_at, id`,
    [tenant, escalationId],
  );
  return rows.map(({ id }) => id);
}

/**
 * A job that awaits a decision always has an open escalation, so that somebody is asked about it. Locks the escalation
 * first, under which no further occurrence is counted, and then its held jobs: of two escalations that hold the same
 * job and close at once, the second sees that the first is closed.
 * @throws SluiceError JOBS_HELD when a job would be left held by none
 */
export async function refuseToLeaveJobs(
  db: Queryable,
  { tenant, id }: { readonly tenant: string; readonly id: string },
): Promise<void> {
  await db.query('select from sluice.escalation where tenant = $1 and id = $2 for update', [tenant, id]);
  const { rows: held } = await db.query<{ id: string }>(
    `select id from sluice.job where tenant = $1 and state = 'AWAITING_DECISION' and ${OF_ESCALATION}
     order by id for no key update`,
    [tenant, id],
  );
  if (held.length === 0) return;
  const { rows } = await db.query<{ job: string }>(
    `select held.job from unnest($3::uuid[]) as held (job) where not exists (
       select from sluice.escalation as other
       where other.tenant = $1 and other.id <> $2 and other.status <> 'RESOLVED' and (other.job_id = held.job
         or other.id in (select escalation_id from sluice.failure_report where job_id = held.job)))`,
    [tenant, id, held.map((job) => job.id)],
  );
  const [first] = rows;
  if (!first) return;
  const which = rows.length === 1 ? `Job ${first.job} is` : `${rows.length} jobs are`;
  throw new SluiceError(
    'JOBS_HELD',
    `${which} still held: submit a verdict (ABORT ends a job, RETRY begins it anew), or cancel with \`cancelJob\`.`,
  );
}
