import { isId } from '../core/ids.js';
import type { AttemptOutcome, JobAttempt } from '../jobs/job.js';
import { errorCodeOf } from './job-row.js';
import type { Queryable } from './pool.js';

/** CTE behind a claim: an attempt of the changed `job` begins. */
export const ATTEMPT_BEGINS = `,
    attempt as (
      insert into sluice.job_attempt (job_id, seq, tenant, number, worker)
      select job.id, job.last_seq, job.tenant, job.attempt, job.worker from job
    )`;

/** A message is stored with the job in full. */
export const MESSAGE_LENGTH = 1_000;

/**
 * CTE behind a change by which the attempt in hand ends: a running job has one, and no other job has any.
 * @param outcome SQL over the changed `job`
 */
export const attemptEnds = (outcome: string): string => `,
    attempt as (
      update sluice.job_attempt as attempt set ended_at = statement_timestamp(), outcome = ${outcome},
        error_code = job.error ->> 'code', error_message = left(job.error ->> 'message', ${MESSAGE_LENGTH})
      from job where attempt.job_id = job.id and attempt.ended_at is null
    )`;

interface JobAttemptRow {
  readonly seq: bigint;
  readonly number: number;
  readonly worker: string;
  readonly started_at: Date;
  readonly ended_at: Date | null;
  readonly duration_ms: number | null;
  readonly outcome: AttemptOutcome | null;
  readonly error_code: string | null;
  readonly error_message: string | null;
}

const jobAttemptOf = (row: JobAttemptRow): JobAttempt => ({
  seq: Number(row.seq),
  number: row.number,
  worker: row.worker,
  startedAt: row.started_at,
  endedAt: row.ended_at,
  durationMs: row.duration_ms,
  outcome: row.outcome,
  error: row.error_code === null ? null : { code: errorCodeOf(row.error_code), message: row.error_message ?? '' },
});

/** The last attempts of a job, oldest first. */
export async function readJobAttempts(
  db: Queryable,
  tenant: string,
  jobId: string,
  last: number,
): Promise<readonly JobAttempt[]> {
  if (!isId(jobId)) return [];
  const { rows } = await db.query<JobAttemptRow>(
    `select seq, number, worker, started_at, ended_at, outcome, error_code, error_message,
       round(extract(epoch from ended_at - started_at) * 1000)::float8 as duration_ms
     from sluice.job_attempt where tenant = $1 and job_id = $2 order by seq desc limit $3`,
    [tenant, jobId, last],
  );
  return rows.map(jobAttemptOf).reverse();
}
