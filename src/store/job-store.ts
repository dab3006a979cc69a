import { SluiceError } from '../core/errors.js';
import { isId } from '../core/ids.js';
import { type Job, statesAllowing } from '../jobs/job.js';
import type { JobStore, NewJob } from '../jobs/stores.js';
import { targetOf } from '../jobs/target.js';
import { type Announcer, type ChangedRow, guardOf, signalOf, TOUCH, withEvent } from './job-change.js';
import { listJobs } from './job-list.js';
import { JOB_COLUMNS, type JobRow, jobOf } from './job-row.js';
import type { Pool, Queryable } from './pool.js';
import { readJob } from './read-job.js';

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
  const cancel = guardOf('CANCEL');
  const idle = statesAllowing('CANCEL').filter((state) => state !== 'RUNNING');
  const cancelIdle = withEvent(announcer, {
    change: `update sluice.job as job set state = '${cancel.to}', stage = null, cancel_requested = true, due_at = null,
        finished_at = statement_timestamp(), ${TOUCH}
      where job.tenant = $1 and job.id = $2 and job.state = any($3) returning job.*`,
    kind: 'STATE',
    message: `'The job was cancelled.'`,
    columns: JOB_COLUMNS,
    reports: true,
  });

  async function requestCancel(tenant: string, jobId: string): Promise<Job> {
    if (!isId(jobId)) throw new SluiceError('JOB_NOT_FOUND', `There is no job ${jobId}.`);
    const { rows: running } = await pool.query<JobRow>(
      `update sluice.job as job set cancel_requested = true
       where job.tenant = $1 and job.id = $2 and job.state = 'RUNNING' returning ${JOB_COLUMNS}`,
      [tenant, jobId],
    );
    if (running[0]) return jobOf(running[0]);
    const { rows } = await pool.query<JobRow & ChangedRow>(cancelIdle, [tenant, jobId, idle]);
    if (rows[0]) {
      announcer.announce(signalOf(rows[0]));
      return jobOf(rows[0]);
    }
    const job = await readJob(pool, tenant, jobId);
    if (job === null) throw new SluiceError('JOB_NOT_FOUND', `There is no job ${jobId}.`);
    if (job.state === 'CANCELLED') return job;
    // Claimed between the two statements above.
    if (job.state === 'RUNNING') return requestCancel(tenant, jobId);
    throw new SluiceError('STATE_NOT_ALLOWED', `A job that is ${job.state} cannot be cancelled.`);
  }

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

    requestCancel,
  };
}
