import type { Attempt, PreparedSink } from '../jobs/stores.js';
import { JOB_COLUMNS, type JobRow, jobOf } from './job-row.js';

export interface AttemptRow extends JobRow {
  readonly lease_token: string | null;
  /** Written from a `PreparedSink` alone. */
  readonly prepared: PreparedSink | null;
  readonly time_left_ms: number | null;
}

/** The columns of `AttemptRow`, of a relation that is called `job`. */
export const ATTEMPT_COLUMNS = `${JOB_COLUMNS}, job.lease_token, job.prepared,
  (extract(epoch from job.deadline_at - statement_timestamp()) * 1000)::float8 as time_left_ms`;

export const attemptOf = (row: AttemptRow): Attempt => ({
  job: jobOf(row),
  // A job that no worker has in hand has no token; the empty one fits no lease.
  token: row.lease_token ?? NO_TOKEN,
  prepared: row.prepared,
  timeLeftMs: row.time_left_ms,
});

const NO_TOKEN = '00000000-0000-0000-0000-000000000000';
