import { SluiceError } from '../core/errors.js';
import { isId } from '../core/ids.js';
import type { JobState } from '../jobs/job.js';
import type { PartEffect, PreparedSink } from '../jobs/stores.js';
import type { Queryable } from './pool.js';
import { jobNotFound } from './read-job.js';

/** A job whose row is locked, with what somebody needs to know who has it go on. */
export interface LockedJob {
  readonly id: string;
  readonly tenant: string;
  readonly state: JobState;
  readonly spec: unknown;
  readonly target: string | null;
  readonly priority: number;
  readonly prepared: PreparedSink | null;
  /** Null before its parts are loaded; also in a job of an older version. */
  readonly partEffect: PartEffect | null;
  /** Whether it has parts to load. */
  readonly isEvaluated: boolean;
  /** Whether a part of its rows is loaded. */
  readonly isLoaded: boolean;
  /** The job whose quarantined rows it loads. */
  readonly replayOf: string | null;
  /** Whether its rows are removed from the target, or are to be. */
  readonly isRolledBack: boolean;
}

/** Locks the job for the transaction. @throws SluiceError JOB_NOT_FOUND; STATE_NOT_ALLOWED while its rows are being removed */
export async function lockJob(db: Queryable, tenant: string, jobId: string): Promise<LockedJob> {
  if (!isId(jobId)) throw jobNotFound(jobId);
  const { rows } = await db.query<LockedJob>(
    `select id, tenant, state, spec, target, priority, prepared, part_effect as "partEffect",
       chunks_total is not null as "isEvaluated", rows_loaded > 0 as "isLoaded",
       rollback_requested as "isRolledBack", replay_of as "replayOf"
     from sluice.job where tenant = $1 and id = $2 for update`,
    [tenant, jobId],
  );
  if (!rows[0]) throw jobNotFound(jobId);
  if (rows[0].isRolledBack && rows[0].state !== 'CANCELLED') throw beingCancelled();
  return rows[0];
}

/** A job that is cancelled once its rows are removed. */
export const beingCancelled = (): SluiceError =>
  new SluiceError('STATE_NOT_ALLOWED', 'The job is being cancelled: its rows are removed from the target first.');

/** The same. @throws SluiceError STATE_NOT_ALLOWED when it awaits no decision */
export async function lockHeldJob(db: Queryable, tenant: string, jobId: string): Promise<LockedJob> {
  const job = await lockJob(db, tenant, jobId);
  if (job.state === 'AWAITING_DECISION') return job;
  throw new SluiceError('STATE_NOT_ALLOWED', `The job is ${job.state} and awaits no decision.`);
}
