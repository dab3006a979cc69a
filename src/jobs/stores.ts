import type { ExpectationOutcome } from '../engine/evaluate/outcome.js';
import type { Part, PreparedSink, SinkTransaction } from '../engine/sinks/sink.js';
import type { Job, JobError, JobKind, JobStage, JobTransition, QuarantinedRow } from './job.js';
import type { JobFilter, JobOrder, QuarantineFilter } from './job-service.js';
import type { Page, PageRequest } from './ports.js';

export type { ExpectationOutcome, Part, PreparedSink };

/** A connection of a database, inside a transaction unless said otherwise. */
export type SinkClient = SinkTransaction['client'];

export interface NewJob {
  readonly id: string;
  readonly tenant: string;
  readonly kind: JobKind;
  readonly name: string;
  readonly owner: string;
  readonly spec: object;
  /** Hash over everything that makes two launches the same. */
  readonly specHash: string;
  readonly idempotencyKey: string | null;
  /** Higher goes first. */
  readonly priority: number;
  readonly maxAttempts: number;
  readonly timeoutMs: number | null;
}

/** Jobs as callers see them. */
export interface JobStore {
  /**
   * Stores the job and its first event.
   * @returns the first answer with `replayed` when the idempotency key was used with the same spec hash
   * @throws SluiceError IDEMPOTENCY_CONFLICT
   */
  insert(job: NewJob): Promise<{ readonly job: Job; readonly replayed: boolean }>;
  /** The job that the key started before, or null. @throws SluiceError IDEMPOTENCY_CONFLICT */
  replay(job: Pick<NewJob, 'tenant' | 'kind' | 'idempotencyKey' | 'specHash'>): Promise<Job | null>;
  get(tenant: string, jobId: string): Promise<Job | null>;
  /** @throws SluiceError CURSOR_INVALID */
  list(tenant: string, filter: JobFilter, order: JobOrder, page: PageRequest): Promise<Page<Job>>;
  /** Cancels a job that nobody runs, and marks one that runs. @throws SluiceError JOB_NOT_FOUND, STATE_NOT_ALLOWED */
  requestCancel(tenant: string, jobId: string): Promise<Job>;
}

/** A running job, as a worker has it in hand. */
export interface Attempt {
  readonly job: Job;
  /** Fencing token of the attempt; whatever is written with a stale one changes nothing. */
  readonly token: string;
  readonly prepared: PreparedSink | null;
  /** Until the job's timeout, by the database's clock; null when it has none. */
  readonly timeLeftMs: number | null;
}

/** How an attempt ends, or what it waits for. */
export interface AttemptEnd {
  readonly transition: JobTransition;
  readonly message: string;
  readonly error?: JobError;
  /** Milliseconds from now, for RETRY. */
  readonly dueInMs?: number;
}

/** What a heartbeat learns about the jobs in hand. */
export interface Pulse {
  readonly jobId: string;
  readonly cancelRequested: boolean;
  /** The token of the attempt, null once it has ended. */
  readonly token: string | null;
}

/** What moves a job while a worker has it. Knows no tenant: a worker works for all of them. */
export interface AttemptStore {
  /** QUEUED -> RUNNING, one attempt more. @returns null when there is nothing to claim, or its target is paused */
  claim(jobId: string, token: string, worker: string, leaseMs: number): Promise<Attempt | null>;
  /** The attempt of a job whose chunks are being loaded, for a worker that helps. @returns null in any other state */
  join(jobId: string): Promise<Attempt | null>;
  /** @returns the seq of its event @throws SluiceError LEASE_LOST when the attempt is no longer ours */
  enterStage(attempt: Attempt, stage: JobStage, message: string): Promise<number>;
  /**
   * Ends the attempt and frees its chunks. HOLD stores a failure report with it; HOLD and RETRY of a job that was told
   * to stop meanwhile cancel it. @returns false when it had ended already
   */
  end(attempt: Attempt, end: AttemptEnd): Promise<boolean>;
  /** Renews the leases held under these tokens, and reads how their jobs are. */
  renew(tokens: readonly string[], jobIds: readonly string[], leaseMs: number): Promise<readonly Pulse[]>;
  /** Gives chunks back that were claimed under the token and are not loaded. */
  releaseChunks(token: string): Promise<void>;
  /** What the sink prepared, if it did: an attempt in hand may be older. */
  prepared(jobId: string): Promise<PreparedSink | null>;
  /** The sink's preparations are removed. */
  forgetPrepared(jobId: string): Promise<void>;
}

/** What an evaluation leaves in the database. */
export interface EvaluatedJob {
  readonly rowsRead: number;
  readonly rowsFiltered: number;
  readonly rowsDeduplicated: number;
  readonly rowsReshaped: number;
  readonly rowsGood: number;
  readonly parts: readonly Part[];
  readonly expectations: readonly ExpectationOutcome[];
}

export interface ClaimedChunk {
  readonly jobId: string;
  readonly tenant: string;
  readonly token: string;
  readonly part: Part;
}

/** Chunk counts of the job after a chunk was committed. */
export interface LoadProgress {
  readonly chunksDone: number;
  readonly chunksTotal: number;
}

export interface ChunkStore {
  /**
   * Stores the parts and enters LOADING, in one transaction with `prepare`.
   * @throws SluiceError LEASE_LOST when the attempt is no longer ours
   */
  insertParts(
    attempt: Attempt,
    evaluated: EvaluatedJob,
    prepare: (client: SinkClient) => Promise<PreparedSink>,
  ): Promise<PreparedSink>;
  /** A pending chunk that nobody holds, in order; null when there is none. */
  claimNext(jobId: string, token: string, worker: string, leaseMs: number): Promise<ClaimedChunk | null>;
  /**
   * Runs `load` and marks the chunk loaded, in one transaction; an abort ends the running statement.
   * @throws SluiceError LEASE_LOST, and nothing is changed, when somebody else has the chunk or the job does not run
   */
  commitLoaded(
    chunk: ClaimedChunk,
    signal: AbortSignal,
    load: (client: SinkClient) => Promise<number>,
  ): Promise<LoadProgress>;
  /**
   * The finishing transaction: elects one finisher, reconciles, publishes, marks the job SUCCEEDED.
   * @returns false when another finishes, has finished, or chunks are left
   * @throws SluiceError RECONCILIATION_FAILED
   */
  finish(attempt: Attempt, signal: AbortSignal, publish: (client: SinkClient) => Promise<void>): Promise<boolean>;
}

export interface CopyTarget {
  readonly table: { readonly schema: string; readonly name: string };
  readonly columns: readonly string[];
}

export interface QuarantineStore {
  /** Readies the transaction for a COPY into the quarantine. @returns where to copy */
  beginCopy(client: SinkClient, chunk: ClaimedChunk): Promise<CopyTarget>;
  /** @throws SluiceError CURSOR_INVALID */
  list(tenant: string, filter: QuarantineFilter, page: PageRequest): Promise<Page<QuarantinedRow>>;
}

/** The expectation report of a job. */
export interface ReportStore {
  save(tenant: string, jobId: string, outcomes: readonly ExpectationOutcome[]): Promise<void>;
  list(tenant: string, jobId: string): Promise<readonly ExpectationOutcome[]>;
}

/** Databases that sinks write to, by the name of their connection; null is the system's own. */
export interface SinkConnections {
  /** Whether the connection is the system's own database, so that rows and counters share a transaction. */
  isSystem(connection: string | null): boolean;
  /** A client outside of any transaction. @throws SluiceError UNKNOWN_CONNECTION */
  withClient<T>(connection: string | null, work: (client: SinkClient) => Promise<T>): Promise<T>;
  /** One transaction on it; an abort of the signal ends the running statement. @throws SluiceError UNKNOWN_CONNECTION */
  transaction<T>(connection: string | null, signal: AbortSignal, work: (client: SinkClient) => Promise<T>): Promise<T>;
}

/**
 * Remembers in a foreign database what was loaded there, in the transaction that loads it: chunk counters live in
 * another database and cannot be part of it.
 */
export interface LoadLedger {
  /** Runs `load` unless it was committed before. @returns the rows it loaded, now or then */
  once(client: SinkClient, jobId: string, entry: number, load: () => Promise<number>): Promise<number>;
  /** Removes what is remembered of a job that has ended. */
  forget(client: SinkClient, jobId: string): Promise<void>;
}

/** A job that should be moving. */
export interface Straggler {
  readonly jobId: string;
  readonly priority: number;
  readonly lastSeq: number;
}

/** What the sweeper looks for; every method is safe to call from several schedulers at once. */
export interface SweepStore {
  /** QUEUED without movement for `idleMs`, but for those whose target is paused. */
  queued(idleMs: number, limit: number): Promise<readonly Straggler[]>;
  /**
   * Hands jobs back that no worker holds any more: at once while they are evaluated, and after `stuckMs` without
   * movement while they are loaded, for until then any worker may go on with the parts. A job that was taken over
   * `maxTakeovers` times awaits a decision, or is DEAD when nobody shall be asked. @returns those that are queued again
   */
  takeOver(maxTakeovers: number, stuckMs: number, limit: number): Promise<readonly Straggler[]>;
  /** Jobs being loaded that nobody holds although chunks are pending, or that are loaded and not finished. */
  unattendedLoads(idleMs: number, limit: number): Promise<readonly Straggler[]>;
  /** RETRYING -> QUEUED for what is due. */
  due(limit: number): Promise<readonly Straggler[]>;
  /** Milliseconds until the next retry is due, by the database's clock; null when none waits. */
  nextDueMs(): Promise<number | null>;
  /** Cancels jobs that were asked to stop and that no worker holds. */
  cancelAbandoned(limit: number): Promise<readonly string[]>;
  /** Ended without success, with preparations of the sink left. */
  leftovers(idleMs: number, limit: number): Promise<readonly Attempt[]>;
  /** Those of the ids whose jobs have ended or do not exist. */
  ended(jobIds: readonly string[]): Promise<readonly string[]>;
}
