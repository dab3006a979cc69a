import type { ExpectationOutcome } from '../engine/evaluate/outcome.js';
import type { InferredColumn, Preview } from '../engine/pipeline.js';
import type { JobEvent } from './events.js';
import type { Job, JobAttempt, JobKind, JobState } from './job.js';
import type { Page, PageRequest } from './ports.js';

/** Who asks. Every query is filtered by the tenant. */
export interface Caller {
  readonly tenant: string;
  /** Name of the token, for audit and `viewer`. */
  readonly name: string;
}

/** The input of `launchEtlJob`, not yet trusted; `parseLaunch` turns it into a spec or user errors. */
export interface LaunchRequest {
  readonly name: string;
  readonly owner: string;
  readonly idempotencyKey: string | null;
  readonly priority: number;
  /** source, steps, expectations, sink, options in the shape of the GraphQL input. */
  readonly pipeline: unknown;
}

export interface JobFilter {
  readonly states?: readonly JobState[];
  readonly kinds?: readonly JobKind[];
  /** Exact name. */
  readonly name?: string;
  /** Case-insensitive part of the name or the id. */
  readonly search?: string;
  readonly createdAfter?: Date;
  readonly createdBefore?: Date;
}

export interface JobOrder {
  readonly field: 'CREATED_AT' | 'FINISHED_AT' | 'NAME' | 'PRIORITY';
  readonly direction: 'ASC' | 'DESC';
}

/** What the API can ask of jobs. Mistakes of the caller are thrown as SluiceError or UserErrors with paths. */
export interface JobService {
  /** Checks the spec, then stores the job and its first event in one transaction, then offers it to the queue. */
  launchEtl(caller: Caller, request: LaunchRequest): Promise<{ readonly job: Job; readonly replayed: boolean }>;
  get(caller: Caller, jobId: string): Promise<Job | null>;
  /** The last attempts of the job, oldest first. */
  attempts(caller: Caller, jobId: string, last: number): Promise<readonly JobAttempt[]>;
  list(caller: Caller, filter: JobFilter, order: JobOrder, page: PageRequest): Promise<Page<Job>>;
  report(caller: Caller, jobId: string): Promise<readonly ExpectationOutcome[]>;
  preview(caller: Caller, pipeline: unknown, rows: number): Promise<Preview>;
  inferSchema(caller: Caller, source: unknown): Promise<readonly InferredColumn[]>;
}

/** What subscriptions read from; one per process. */
export interface JobWatcher {
  /**
   * A snapshot, then every event after `afterSeq` (exclusive) until the job's last one. Ends with the job.
   * @throws SluiceError JOB_NOT_FOUND, CURSOR_EXPIRED
   */
  watchJob(caller: Caller, jobId: string, afterSeq: number | null): AsyncIterableIterator<JobEvent>;
  /** Snapshots of the matching jobs that are not final, then the events of every matching job. Never ends by itself. */
  watchFeed(caller: Caller, filter: Pick<JobFilter, 'states' | 'kinds' | 'name'>): AsyncIterableIterator<JobEvent>;
}
