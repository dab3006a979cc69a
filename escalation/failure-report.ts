import type { ErrorCode } from '../src/core/errors.js';
import type { FailureClass } from '../src/core/failure-class.js';
import type { JobSettings } from './job-settings.js';

/**
 * What jobs and monitors hand over: written to the database in the transaction of what it is about, and taken up by
 * any escalator. FAILED opens an escalation or counts as an occurrence of one; RECOVERED lets it close by itself.
 */
export interface FailureReport {
  readonly id: string;
  readonly tenant: string;
  readonly kind: 'FAILED' | 'RECOVERED';
  /** JOB: a job is held. MONITOR: a figure is out of its bounds. PERSON: somebody asked. */
  readonly source: 'JOB' | 'MONITOR' | 'PERSON';
  readonly jobId: string | null;
  /** Name of the job or of the monitor. */
  readonly pipeline: string;
  /** `connection.schema.table` or the URI of the file that the job writes. */
  readonly target: string | null;
  readonly owner: string;
  readonly code: ErrorCode;
  /** The class that the error came with; the rules may decide otherwise. */
  readonly failureClass: FailureClass;
  readonly message: string;
  /** JSON facts of the error: sqlState, samples, lastCode, sizes; `stage` of the job, and `origin` at a handover. */
  readonly details: Readonly<Record<string, unknown>>;
  readonly at: Date;
  /** Of the job that it is about. */
  readonly settings: JobSettings;
}
