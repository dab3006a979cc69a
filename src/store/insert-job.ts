import { SluiceError } from '../core/errors.js';
import type { Job } from '../jobs/job.js';
import type { NewJob } from '../jobs/stores.js';
import { targetOf } from '../jobs/target.js';
import { type Announcer, type ChangedRow, withEvent } from './job-change.js';
import { JOB_COLUMNS, type JobRow, jobOf } from './job-row.js';
import type { Queryable } from './pool.js';

/** The job that the key started before, or null. @throws SluiceError IDEMPOTENCY_CONFLICT */
export async function readReplay(
  db: Queryable,
  { tenant, kind, idempotencyKey, specHash }: Pick<NewJob, 'tenant' | 'kind' | 'idempotencyKey' | 'specHash'>,
): Promise<Job | null> {
  if (idempotencyKey === null) return null;
  const { rows } = await db.query<JobRow & { spec_hash: string }>(
    `select ${JOB_COLUMNS}, job.spec_hash from sluice.job as job
     where job.tenant = $1 and job.kind = $2 and job.idempotency_key = $3`,
    [tenant, kind, idempotencyKey],
  );
  const [row] = rows;
  if (row === undefined) return null;
  if (row.spec_hash === specHash) return jobOf(row);
  throw new SluiceError(
    'IDEMPOTENCY_CONFLICT',
    `The idempotency key was used before with another input, by job ${row.id}; use a new key.`,
    { path: ['idempotencyKey'], details: { jobId: row.id } },
  );
}

/** Only a job that was deleted in between leaves nothing behind. */
export const notStored = (): SluiceError => new SluiceError('UNAVAILABLE', 'The job could not be stored; try again.');

/** How a job and its first event are stored. Answers nothing when the idempotency key was used before. */
export function jobInsertion(announcer: Announcer) {
  // A second launch with the same key waits here for the first one's commit, and then inserts nothing.
  const insertJob = withEvent(announcer, {
    change: `insert into sluice.job as job (id, tenant, kind, name, owner, state, spec, spec_hash, idempotency_key,
        priority, max_attempts, timeout_ms, target, replay_of, last_seq)
      values ($1, $2, $3, $4, $5, 'QUEUED', $6, $7, $8, $9, $10, $11, $12, $13, 1)
      on conflict (tenant, kind, idempotency_key) where idempotency_key is not null do nothing
      returning job.*`,
    kind: 'STATE',
    message: `'The job is queued.'`,
    columns: JOB_COLUMNS,
  });
  return async (db: Queryable, job: NewJob): Promise<(JobRow & ChangedRow) | undefined> => {
    const { rows } = await db.query<JobRow & ChangedRow>(insertJob, [
      job.id,
      job.tenant,
      job.kind,
      job.name,
      job.owner,
      JSON.stringify(job.spec),
      job.specHash,
      job.idempotencyKey,
      job.priority,
      job.maxAttempts,
      job.timeoutMs,
      targetOf(job.spec),
      job.replayOf ?? null,
    ]);
    return rows[0];
  };
}
