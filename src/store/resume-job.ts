import { SluiceError } from '../core/errors.js';
import { isId } from '../core/ids.js';
import type { Job } from '../jobs/job.js';
import { type Announcer, type ChangedRow, guardOf, signalOf, TOUCH, withEvent } from './job-change.js';
import { JOB_COLUMNS, type JobRow, jobOf } from './job-row.js';
import { beingCancelled } from './locked-job.js';
import type { Pool } from './pool.js';
import { jobNotFound, requireJob } from './read-job.js';

/** Lets a paused job go on, or one go on running that was told to pause and has not yet stopped. */
export function resumeJob(pool: Pool, announcer: Announcer) {
  const { from, to } = guardOf('RESUME');
  // Nothing changes a paused job: since its last change it has stood still, which its timeout and its pace leave out.
  const rested = '(statement_timestamp() - job.updated_at)';
  const resume = withEvent(announcer, {
    change: `update sluice.job as job set state = '${to}', error = null, deadline_at = job.deadline_at + ${rested},
        loading_at = job.loading_at + ${rested}, ${TOUCH}
      where job.tenant = $1 and job.id = $2 and job.state = any($3) and not job.rollback_requested
      returning job.*`,
    kind: 'STATE',
    message: `'The job is queued again.'`,
    columns: JOB_COLUMNS,
  });

  return async function resumed(tenant: string, jobId: string): Promise<Job> {
    if (!isId(jobId)) throw jobNotFound(jobId);
    const { rows } = await pool.query<JobRow & ChangedRow>(resume, [tenant, jobId, from]);
    if (rows[0]) {
      announcer.announce(signalOf(rows[0]));
      return jobOf(rows[0]);
    }
    const { rows: running } = await pool.query<JobRow>(
      `update sluice.job as job set pause_requested = false
       where job.tenant = $1 and job.id = $2 and job.state = 'RUNNING' returning ${JOB_COLUMNS}`,
      [tenant, jobId],
    );
    if (running[0]) return jobOf(running[0]);
    const job = await requireJob(pool, tenant, jobId);
    if (job.state === 'PAUSED' && job.cancelRequested) throw beingCancelled();
    // Paused between the two statements above.
    if (job.state === 'PAUSED') return resumed(tenant, jobId);
    if (job.state === 'QUEUED' || job.state === 'RETRYING') return job;
    throw new SluiceError('STATE_NOT_ALLOWED', `A job that is ${job.state} is not paused.`);
  };
}
