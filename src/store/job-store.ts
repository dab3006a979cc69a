import { SluiceError } from '../core/errors.js';
import type { Job } from '../jobs/job.js';
import type { JobStore, NewJob } from '../jobs/stores.js';
import { targetOf } from '../jobs/target.js';
import { readJobAttempts } from './job-attempt.js';
import { type Announcer, type ChangedRow, signalOf, withEvent } from './job-change.js';
import { listJobs } from './job-list.js';
import { JOB_COLUMNS, type JobRow, jobOf } from './job-row.js';
import type { Pool, Queryable } from './pool.js';
import { readJob } from './read-job.js';
import { resumeJob } from './resume-job.js';
import { stopJob } from './stop-job.js';

async function readReplay(
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

/** @param announcer how changes reach the processes that watch */
export function createJobStore(pool: Pool, announcer: Announcer): JobStore {
  // A second launch with the same key waits here for the first one's commit, and then inserts nothing.
  const insertJob = withEvent(announcer, {
    change: `insert into sluice.job as job (id, tenant, kind, name, owner, state, spec, spec_hash, idempotency_key,
        priority, max_attempts, timeout_ms, target, last_seq)
      values ($1, $2, $3, $4, $5, 'QUEUED', $6, $7, $8, $9, $10, $11, $12, 1)
      on conflict (tenant, kind, idempotency_key) where idempotency_key is not null do nothing
      returning job.*`,
    kind: 'STATE',
    message: `'The job is queued.'`,
    columns: JOB_COLUMNS,
  });
  const { requestCancel, requestPause } = stopJob(pool, announcer);

  return {
    async insert(job) {
      const { rows } = await pool.query<JobRow & ChangedRow>(insertJob, [
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
      ]);
      const [row] = rows;
      if (row !== undefined) {
        announcer.announce(signalOf(row));
        return { job: jobOf(row), replayed: false };
      }
      const first = await readReplay(pool, job);
      // Only a job that was deleted in between leaves nothing behind.
      if (first === null) throw new SluiceError('UNAVAILABLE', 'The job could not be stored; try again.');
      return { job: first, replayed: true };
    },

    replay: (job) => readReplay(pool, job),

    get: (tenant, jobId) => readJob(pool, tenant, jobId),

    list: (tenant, filter, order, page) => listJobs(pool, tenant, filter, order, page),

    attempts: (tenant, jobId, last) => readJobAttempts(pool, tenant, jobId, last),

    requestCancel,
    requestPause,
    resume: resumeJob(pool, announcer),
  };
}
