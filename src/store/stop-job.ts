import { SluiceError } from '../core/errors.js';
import { isId } from '../core/ids.js';
import { type Job, type JobState, statesAllowing } from '../jobs/job.js';
import { type Announcer, type ChangedRow, guardOf, signalOf, TOUCH, withEvent } from './job-change.js';
import { JOB_COLUMNS, type JobRow, jobOf } from './job-row.js';
import type { Pool } from './pool.js';
import { jobNotFound, requireJob } from './read-job.js';
import { IS_REMOVABLE } from './roll-back.js';

/** Whether nothing of `job` is in its target, or what is there goes with it; once it is told to stop, nothing is added. */
const LEAVES_NOTHING = `(job.chunks_total is null or job.part_effect = 'STAGED' or job.rollback_requested)`;

const rollbackNotPossible = (): SluiceError =>
  new SluiceError(
    'ROLLBACK_NOT_POSSIBLE',
    'The job loads straight into its target, where nothing tells its rows from others: cancel it without `rollback`, and set `staged: true` in the sink of the next one, or `loadIdColumn` when it appends.',
    { path: ['rollback'] },
  );

const tooLate = (jobId: string): SluiceError =>
  new SluiceError(
    'ROLLBACK_NOT_POSSIBLE',
    `The job was cancelled before, without \`rollback\`. Its rows are those with ${jobId} in the \`loadIdColumn\`: delete them in the target.`,
    { path: ['rollback'] },
  );

interface Stop {
  readonly transition: 'CANCEL' | 'PAUSE';
  /** What is set on a job that runs, for its worker to find. */
  readonly mark: string;
  /** Of a job for which this holds nothing more is wanted. */
  readonly unless: string;
  /** Assignments beside the state, for a job that nobody runs. */
  readonly change: string;
  readonly message: string;
}

const CANCEL: Stop = {
  transition: 'CANCEL',
  mark: 'cancel_requested',
  unless: 'false',
  change: 'cancel_requested = true, finished_at = statement_timestamp()',
  message: 'The job was cancelled.',
};
const PAUSE: Stop = {
  transition: 'PAUSE',
  mark: 'pause_requested',
  unless: 'job.cancel_requested',
  change: `pause_requested = false,
    attempt = case when job.state = 'RUNNING' then greatest(job.attempt - 1, 0) else job.attempt end`,
  message: 'The job is paused.',
};

/** Runs that were told to stop end the job themselves; nobody else may while one of them holds it. */
const IS_HELD = 'job.lease_until > statement_timestamp()';

/** How a job is cancelled or paused by its row: the truth that its workers read, however they are told. */
export function stopJob(pool: Pool, announcer: Announcer) {
  function stopping(stop: Stop) {
    const { to } = guardOf(stop.transition);
    const idle = statesAllowing(stop.transition).filter((state) => state !== 'RUNNING');
    const stopIdle = withEvent(announcer, {
      change: `update sluice.job as job set state = '${to}', stage = null, due_at = null, lease_token = null,
          lease_until = null, worker = null, ${stop.change}, ${TOUCH}
        where job.tenant = $1 and job.id = $2 and not (${stop.unless}) and not job.rollback_requested and (not $4 or ${LEAVES_NOTHING})
          and (job.state = any($3) or job.state = 'RUNNING' and ${IS_HELD} is not true) returning job.*`,
      kind: 'STATE',
      message: `'${stop.message}'`,
      columns: JOB_COLUMNS,
      reports: true,
      attempt: { ends: `'${to}'` },
    });

    /** @returns undefined when the job is in no state to be stopped */
    return async (tenant: string, jobId: string, rollback: boolean): Promise<Job | undefined> => {
      const { rows: running } = await pool.query<JobRow>(
        `update sluice.job as job set ${stop.mark} = true
         where job.tenant = $1 and job.id = $2 and job.state = 'RUNNING' and ${IS_HELD} and not (${stop.unless})
           and (not $3 or ${LEAVES_NOTHING}) returning ${JOB_COLUMNS}`,
        [tenant, jobId, rollback],
      );
      if (running[0]) return jobOf(running[0]);
      const { rows } = await pool.query<JobRow & ChangedRow>(stopIdle, [tenant, jobId, idle, rollback]);
      if (!rows[0]) return undefined;
      announcer.announce(signalOf(rows[0]));
      return jobOf(rows[0]);
    };
  }

  const cancel = stopping(CANCEL);
  const pause = stopping(PAUSE);

  /** Of a job that loads straight into its target: marks it, for whoever removes its rows and cancels it then. */
  async function markForRollback(tenant: string, jobId: string): Promise<Job | undefined> {
    const { rows } = await pool.query<JobRow>(
      `update sluice.job as job set cancel_requested = true, rollback_requested = true, pause_requested = false
       where job.tenant = $1 and job.id = $2 and job.state = any($3) and ${IS_REMOVABLE} and not job.rollback_requested
       returning ${JOB_COLUMNS}`,
      [tenant, jobId, statesAllowing('CANCEL')],
    );
    return rows[0] && jobOf(rows[0]);
  }

  async function rowsLeft(tenant: string, jobId: string) {
    const { rows } = await pool.query<{ nothing: boolean | null; removable: boolean | null; pending: boolean }>(
      `select ${LEAVES_NOTHING} as nothing, ${IS_REMOVABLE} as removable, job.rollback_requested as pending from sluice.job as job where job.tenant = $1 and job.id = $2`,
      [tenant, jobId],
    );
    return rows[0];
  }

  async function requestCancel(tenant: string, jobId: string, rollback = false): Promise<Job> {
    if (!isId(jobId)) throw jobNotFound(jobId);
    const stopped =
      (rollback ? await markForRollback(tenant, jobId) : undefined) ?? (await cancel(tenant, jobId, rollback));
    if (stopped) return stopped;
    const job = await requireJob(pool, tenant, jobId);
    const isCancelled = job.state === 'CANCELLED';
    if (!isCancelled && !statesAllowing('CANCEL').includes(job.state)) throw notAllowed(job.state, 'cancelled');
    const left = await rowsLeft(tenant, jobId);
    if (rollback && left?.nothing !== true) {
      if (!left?.removable) throw rollbackNotPossible();
      if (isCancelled) throw tooLate(jobId);
    }
    // Told so before: its rows are being removed.
    if (left?.pending) return job;
    // Claimed, or let go of, between the two statements above.
    return isCancelled ? job : requestCancel(tenant, jobId, rollback);
  }

  async function requestPause(tenant: string, jobId: string): Promise<Job> {
    if (!isId(jobId)) throw jobNotFound(jobId);
    const stopped = await pause(tenant, jobId, false);
    if (stopped) return stopped;
    const job = await requireJob(pool, tenant, jobId);
    if (job.state === 'PAUSED') return job;
    if (job.cancelRequested) throw new SluiceError('STATE_NOT_ALLOWED', 'The job is being cancelled.');
    if (!statesAllowing('PAUSE').includes(job.state)) throw notAllowed(job.state, 'paused');
    return requestPause(tenant, jobId);
  }

  return { requestCancel, requestPause };
}

const notAllowed = (state: JobState, what: string): SluiceError =>
  new SluiceError('STATE_NOT_ALLOWED', `A job that is ${state} cannot be ${what}.`);
