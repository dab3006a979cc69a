import type { ExpectationOutcome } from '../engine/evaluate/outcome.js';
import type { Evaluation } from '../engine/pipeline.js';
import type {
  LoadedPart,
  LoadedRows,
  Part,
  PartEffect,
  PreparedSink,
  Recheck,
  SinkTransaction,
} from '../engine/sinks/sink.js';
import type { Job, JobAttempt, JobError, JobKind, JobStage, JobState, JobTransition } from './job.js';
import type { JobFilter, JobOrder } from './job-service.js';
import type { Page, PageRequest } from './ports.js';

export type { ExpectationOutcome, LoadedPart, LoadedRows, Part, PartEffect, PreparedSink, Recheck };

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
  /** The job whose quarantined rows are its source. */
  readonly replayOf?: string;
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
  /** The last attempts, oldest first. */
  attempts(tenant: string, jobId: string, last: number): Promise<readonly JobAttempt[]>;
  /**
   * Cancels a job that nobody runs, and marks one that runs. A cancelled one stays as it is.
   * @param rollback whether rows that are in the target go with it: the job is cancelled a little later then. Refused when
   *   nothing tells them from others
   * @throws SluiceError JOB_NOT_FOUND, STATE_NOT_ALLOWED, ROLLBACK_NOT_POSSIBLE
   */
  requestCancel(tenant: string, jobId: string, rollback?: boolean): Promise<Job>;
  /** Pauses a job that nobody runs, and marks one that runs. @throws SluiceError JOB_NOT_FOUND, STATE_NOT_ALLOWED */
  requestPause(tenant: string, jobId: string): Promise<Job>;
  /** PAUSED -> QUEUED, or takes a mark back. A job that waits or runs stays. @throws SluiceError JOB_NOT_FOUND, STATE_NOT_ALLOWED */
  resume(tenant: string, jobId: string): Promise<Job>;
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
  /** Somebody wants the job cancelled or paused. */
  readonly stopRequested: boolean;
  /** The token of the attempt, null once it has ended. */
  readonly token: string | null;
}

/** Takes away what a job has left outside of its rows. It gets what the sink prepared, if it did, and the client of the transaction. */
export type Remove = (prepared: PreparedSink | null, client: SinkClient) => Promise<void>;

/** What moves a job while a worker has it. Knows no tenant: a worker works for all of them. */
export interface AttemptStore {
  /** QUEUED -> RUNNING, one attempt more. @returns null when there is nothing to claim, or its queue or target is paused */
  claim(jobId: string, token: string, worker: string, leaseMs: number): Promise<Attempt | null>;
  /** The attempt of a job whose chunks are being loaded, for a worker that helps. @returns null in any other state */
  join(jobId: string): Promise<Attempt | null>;
  /** @returns the seq of its event @throws SluiceError LEASE_LOST when the attempt is no longer ours */
  enterStage(attempt: Attempt, stage: JobStage, message: string): Promise<number>;
  /** Keeps what the evaluation of the attempt runs, for whoever has to decide about a failure of it. */
  keepSql(attempt: Attempt, sql: string): Promise<void>;
  /**
   * Ends the attempt and frees its chunks. HOLD stores a failure report with it. A job that was told to stop does not go
   * on by RELEASE, RETRY or HOLD: it is CANCELLED, or PAUSED.
   * @returns the state of the job, null when the attempt had ended already
   */
  end(attempt: Attempt, end: AttemptEnd): Promise<JobState | null>;
  /** Renews the leases held under these tokens, and reads how their jobs are. */
  renew(tokens: readonly string[], jobIds: readonly string[], leaseMs: number): Promise<readonly Pulse[]>;
  /** Gives chunks back that were claimed under the token and are not loaded. */
  releaseChunks(token: string): Promise<void>;
  /**
   * Gives the lease of an attempt back whose parts are being loaded: the run leaves, and whoever comes may go on. A lease
   * that runs out instead is that of a worker that stopped answering.
   */
  leave(attempt: Attempt): Promise<void>;
  /**
   * Ends the attempt by a RETRY that begins with the source again: what was evaluated, loaded aside and set aside is
   * forgotten, with what `remove` takes away in the same transaction.
   * @returns false, and nothing is changed, when the attempt is no longer ours or the job was told to stop
   */
  beginAnew(attempt: Attempt, end: AttemptEnd, remove: Remove): Promise<boolean>;
  /**
   * Lets `remove` take away what a job that ended without success has left, with its row locked: nobody begins it again
   * meanwhile. Does nothing when it has not ended, or when its parts are kept for a retry.
   */
  dispose(jobId: string, remove: Remove): Promise<void>;
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
  readonly sourceColumns: readonly SourceColumn[];
}

/** A column of a source, with its type as the engine writes it. */
export type SourceColumn = Evaluation['sourceColumns'][number];

export interface ClaimedChunk {
  readonly jobId: string;
  readonly tenant: string;
  readonly token: string;
  readonly part: Part;
  /** Loads in this attempt of the job that failed for a reason that may pass. */
  readonly failures: number;
}

/** Chunk counts of the job after a chunk was committed. */
export interface LoadProgress {
  readonly chunksDone: number;
  readonly chunksTotal: number;
}

/** Makes the rows visible, in the finishing transaction. @returns as `SinkBinding.publish` does */
export type Publish = (client: SinkClient, loaded: LoadedRows) => Promise<Recheck | null>;

export interface ChunkStore {
  /**
   * Stores the parts and enters LOADING, in one transaction with `prepare`.
   * @param effectOf what the sink says of its parts; unknown without it, and then the worst is assumed
   * @throws SluiceError LEASE_LOST when the attempt is no longer ours
   */
  insertParts(
    attempt: Attempt,
    evaluated: EvaluatedJob,
    prepare: (client: SinkClient) => Promise<PreparedSink>,
    effectOf?: (prepared: PreparedSink) => PartEffect,
  ): Promise<PreparedSink>;
  /** A pending chunk that nobody holds and that is due, in order; null when there is none. */
  claimNext(jobId: string, token: string, worker: string, leaseMs: number): Promise<ClaimedChunk | null>;
  /**
   * Runs `load` and marks the chunk loaded, in one transaction; an abort ends the running statement.
   * @throws SluiceError LEASE_LOST, and nothing is changed, when somebody else has the chunk or the job does not run
   */
  commitLoaded(
    chunk: ClaimedChunk,
    signal: AbortSignal,
    load: (client: SinkClient) => Promise<LoadedPart>,
  ): Promise<LoadProgress>;
  /**
   * Marks a chunk loaded whose rows are committed in another database, even when the job was told to stop meanwhile: what
   * is in the target is counted. @throws SluiceError LEASE_LOST, as `commitLoaded`
   */
  countLoaded(chunk: ClaimedChunk, loaded: LoadedPart): Promise<LoadProgress>;
  /** Gives the chunk back after a failure that may pass, to be claimed again once it is due. @throws SluiceError LEASE_LOST */
  retryLater(chunk: ClaimedChunk, dueInMs: number, reason: string): Promise<void>;
  /**
   * The finishing transaction: elects one finisher, reconciles, publishes, marks the job SUCCEEDED.
   * @param isElsewhere whether `publish` commits in another database, so that nothing takes it back
   * @returns false when another finishes, has finished, or chunks are left
   * @throws SluiceError RECONCILIATION_FAILED
   */
  finish(attempt: Attempt, signal: AbortSignal, publish: Publish, isElsewhere?: boolean): Promise<boolean>;
  /**
   * Cancels a job that was told to be rolled back and that no worker holds, in one transaction with `remove`, which takes
   * its rows out of the target: it answers how many, or why they have to stay.
   * @returns false when another one does, or did
   */
  rollBack(
    jobId: string,
    signal: AbortSignal,
    remove: (client: SinkClient) => Promise<number | { readonly reason: string }>,
  ): Promise<boolean>;
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

/** A job that should be moving. */
export interface Straggler {
  readonly jobId: string;
  readonly priority: number;
  readonly lastSeq: number;
}

/** An attempt by its fencing token. */
export interface AttemptName {
  readonly jobId: string;
  readonly token: string;
}

/** What the sweeper looks for; every method is safe to call from several schedulers at once. */
export interface SweepStore {
  /** QUEUED without movement for `idleMs`, in the order in which workers take them; not those whose queue or target is paused. */
  queued(idleMs: number, limit: number): Promise<readonly Straggler[]>;
  /**
   * Hands jobs back that no worker holds any more: those whose lease ran out, and after `stuckMs` those that everybody has
   * left with parts to load. The `maxTakeovers`th lease in a row that ran out without progress is the end of the job: it is
   * DEAD. @returns those that are queued again
   */
  takeOver(maxTakeovers: number, stuckMs: number, limit: number): Promise<readonly Straggler[]>;
  /**
   * Jobs being loaded with chunks that are due and that nobody holds, or that are loaded and not finished. A chunk that
   * failed is looked at when it is due, the others after `idleMs` without movement.
   */
  unattendedLoads(idleMs: number, limit: number): Promise<readonly Straggler[]>;
  /**
   * RETRYING -> QUEUED for what is due. Turns of a redrive wait while their queue or target is paused; those that nobody
   * gave in time are put off, all by the same, so that they do not come all at once.
   */
  due(limit: number): Promise<readonly Straggler[]>;
  /** Milliseconds until the next retry of a job or a chunk, by the database's clock; null when none waits. */
  nextDueMs(): Promise<number | null>;
  /** Jobs that are cancelled once their rows are removed, and that no worker holds. */
  rollbacks(limit: number): Promise<readonly Attempt[]>;
  /** Cancels or pauses jobs that were told to stop and that no worker holds. */
  stopAbandoned(limit: number): Promise<readonly string[]>;
  /** Ended without success, with preparations of the sink left that no retry needs. */
  leftovers(idleMs: number, limit: number): Promise<readonly Attempt[]>;
  /** Removes quarantined rows of ended jobs that are older than this, at most `limit`; none that is being replayed. @returns how many */
  removeOldQuarantine(days: number, limit: number): Promise<number>;
  /** Those of the ids whose jobs do not exist, or have ended and keep no parts for a retry. */
  ended(jobIds: readonly string[]): Promise<readonly string[]>;
  /** Those of the attempts that do not run, and of which no part is known: nobody will come for what they have staged. */
  abandonedAttempts(attempts: readonly AttemptName[]): Promise<readonly AttemptName[]>;
  /** What jobs that have not ended read from the uploads. */
  uploadUris(): Promise<readonly string[]>;
}
