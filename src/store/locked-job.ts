import { SluiceError } from '../core/errors.js';
import type { JobState } from '../jobs/job.js';
import type { PreparedSink } from '../jobs/stores.js';
import type { Queryable } from './pool.js';

/** A job that awaits a decision, its row locked. */
export interface HeldJob {
  readonly id: string;
  readonly tenant: string;
  readonly spec: unknown;
  readonly target: string | null;
  readonly priority: number;
  readonly prepared: PreparedSink | null;
  /** Whether a part of its rows is loaded. */
  readonly isLoaded: boolean;
}

/** Locks the job for the transaction. @throws SluiceError JOB_NOT_FOUND, STATE_NOT_ALLOWED when it awaits no decision */
export async function lockHeldJob(db: Queryable, tenant: string, jobId: string): Promise<HeldJob> {
  const { rows } = await db.query<HeldJob & { readonly state: JobState }>(
    `select id, tenant, state, spec, target, priority, prepared, rows_loaded > 0 as "isLoaded"
     from sluice.job where tenant = $1 and id = $2 for update`,
    [tenant, jobId],
  );
  const [job] = rows;
  if (job === undefined) throw new SluiceError('JOB_NOT_FOUND', `There is no job ${jobId}.`);
  if (job.state === 'AWAITING_DECISION') return job;
  throw new SluiceError('STATE_NOT_ALLOWED', `The job is ${job.state} and awaits no decision.`);
}
