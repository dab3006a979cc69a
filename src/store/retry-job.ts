import { SluiceError } from '../core/errors.js';
import { failureOf } from '../jobs/failure.js';
import { type Job, type JobState, statesAllowing } from '../jobs/job.js';
import { type DiscardDeps, discardEvaluation } from './discard-evaluation.js';
import { type Announcer, type ChangedRow, guardOf, signalOf, TOUCH, withEvent } from './job-change.js';
import { type LockedJob, lockJob } from './locked-job.js';
import { type Pool, type PoolClient, withTransaction } from './pool.js';
import { requireJob } from './read-job.js';
import { requeueJob } from './requeue-job.js';

export interface RetryDeps extends DiscardDeps {
  readonly pool: Pool;
  readonly announcer: Announcer;
}

/** What else can be done with a job that cannot be retried. */
const WAYS_OUT: Partial<Record<JobState, string>> = {
  PAUSED: 'resume it',
  AWAITING_DECISION: 'it awaits a decision, submit a verdict to its escalation',
  SUCCEEDED: 'launch it again',
  CANCELLED: 'launch it again',
};

/**
 * Starts a job again that ended without success, with a new set of attempts. One whose parts are kept, because rows of it
 * are in the target for good, goes on with those that are left; any other begins anew. One that waits for its next attempt
 * makes it now, and one that waits or runs anyway stays as it is.
 */
export function retryJob(deps: RetryDeps): (tenant: string, jobId: string) => Promise<Job> {
  const { pool, announcer } = deps;
  const redrive = requeueJob(announcer, 'REDRIVE');
  const due = guardOf('DUE');
  const becomeDue = withEvent(announcer, {
    change: `update sluice.job as job set state = '${due.to}', due_at = null, ${TOUCH}
      where job.id = $1 and job.state = any($2) returning job.*`,
    kind: 'STATE',
    message: `'The job is queued again, before it was due.'`,
  });

  async function startAgain(client: PoolClient, job: LockedJob): Promise<ChangedRow> {
    if (job.partEffect === 'PERMANENT' && job.prepared !== null)
      return redrive.resume(client, job.id, 'The job is tried again with the parts that are left.');
    await discardEvaluation(deps, client, job, 'its parts are gone, so launch a job with the rows that are missing');
    return redrive.restart(client, job.id, 'The job is tried again from the beginning.');
  }

  async function change(client: PoolClient, job: LockedJob): Promise<ChangedRow | undefined> {
    if (job.state === 'QUEUED' || job.state === 'RUNNING') return undefined;
    if (job.state === 'RETRYING') {
      const { rows } = await client.query<ChangedRow>(becomeDue, [job.id, due.from]);
      return rows[0];
    }
    if (statesAllowing('REDRIVE').includes(job.state)) {
      if (job.replayOf === null) return startAgain(client, job);
      const message = `The rows of the replay went back into the quarantine of job ${job.replayOf}: replay them again.`;
      throw new SluiceError('STATE_NOT_ALLOWED', message);
    }
    const message = `A job that is ${job.state} cannot be retried: ${WAYS_OUT[job.state]}.`;
    throw new SluiceError('STATE_NOT_ALLOWED', message);
  }

  return async (tenant, jobId) => {
    try {
      const changed = await withTransaction(pool, async (client) => {
        // A straggler's COPY may hold what has to go.
        await client.query(`set local lock_timeout = '10s'`);
        return change(client, await lockJob(client, tenant, jobId));
      });
      if (changed) announcer.announce(signalOf(changed));
    } catch (error) {
      throw failureOf(error);
    }
    return requireJob(pool, tenant, jobId);
  };
}
