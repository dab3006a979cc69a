import type { ErrorCode } from '../core/errors.js';
import type { FailureClass } from '../core/failure-class.js';

export const JOB_KINDS = ['ETL', 'BATCH', 'STREAM', 'WORKFLOW'] as const;
export type JobKind = (typeof JOB_KINDS)[number];

export const JOB_STATES = [
  'QUEUED',
  'RUNNING',
  'RETRYING',
  'PAUSED',
  'AWAITING_DECISION',
  'SUCCEEDED',
  'FAILED',
  'CANCELLED',
  'DEAD',
] as const;
export type JobState = (typeof JOB_STATES)[number];

/** Where a running job is on its way: see the flow in ARCHITECTURE.md. */
export const JOB_STAGES = ['PLANNING', 'EVALUATING', 'LOADING', 'FINISHING'] as const;
export type JobStage = (typeof JOB_STAGES)[number];

/** What may happen to a job; the only words in which code asks for another state. */
export type JobTransition =
  | 'CLAIM'
  | 'RELEASE'
  | 'RETRY'
  | 'DUE'
  | 'SUCCEED'
  | 'FAIL'
  | 'DIE'
  | 'CANCEL'
  | 'HOLD'
  | 'DECIDE'
  | 'PAUSE'
  | 'RESUME'
  | 'REDRIVE'
  | 'REVIVE';

/**
 * The one transition table. A pair that is not here is refused. RELEASE hands work back without burning an
 * attempt (shutdown); HOLD waits for an escalation's verdict and DECIDE carries it out; REDRIVE starts a dead
 * or failed job again at once, REVIVE gives a dead one its turn among the many of a redrive.
 */
export const TRANSITIONS: Readonly<Record<JobState, Readonly<Partial<Record<JobTransition, JobState>>>>> = {
  QUEUED: { CLAIM: 'RUNNING', CANCEL: 'CANCELLED', PAUSE: 'PAUSED', FAIL: 'FAILED' },
  RUNNING: {
    RELEASE: 'QUEUED',
    RETRY: 'RETRYING',
    SUCCEED: 'SUCCEEDED',
    FAIL: 'FAILED',
    DIE: 'DEAD',
    CANCEL: 'CANCELLED',
    HOLD: 'AWAITING_DECISION',
    PAUSE: 'PAUSED',
  },
  RETRYING: { DUE: 'QUEUED', CANCEL: 'CANCELLED', PAUSE: 'PAUSED', DIE: 'DEAD' },
  PAUSED: { RESUME: 'QUEUED', CANCEL: 'CANCELLED' },
  AWAITING_DECISION: { DECIDE: 'QUEUED', FAIL: 'FAILED', CANCEL: 'CANCELLED', DIE: 'DEAD' },
  SUCCEEDED: {},
  FAILED: { REDRIVE: 'QUEUED' },
  CANCELLED: {},
  DEAD: { REDRIVE: 'QUEUED', REVIVE: 'RETRYING', CANCEL: 'CANCELLED' },
};

/** The state after `transition`, or undefined when it is not allowed from `state`. */
export function nextState(state: JobState, transition: JobTransition): JobState | undefined {
  return TRANSITIONS[state][transition];
}

/** The states from which `transition` is allowed; SQL updates are guarded with them. */
export function statesAllowing(transition: JobTransition): readonly JobState[] {
  return JOB_STATES.filter((state) => nextState(state, transition) !== undefined);
}

/** A finished job gets no further events unless it is redriven; its event stream completes. */
export const FINAL_STATES: readonly JobState[] = ['SUCCEEDED', 'FAILED', 'CANCELLED', 'DEAD'];
export const isFinal = (state: JobState): boolean => FINAL_STATES.includes(state);

/** Rows, exact. `rowsRead = rowsLoaded + rowsFiltered + rowsDeduplicated + rowsQuarantined + rowsReshaped` at the end. */
export interface RowCounts {
  readonly rowsRead: number;
  /** Rows committed into the target so far. */
  readonly rowsLoaded: number;
  readonly rowsFiltered: number;
  readonly rowsDeduplicated: number;
  readonly rowsQuarantined: number;
  /** Rows that `sql` steps took away (positive) or added (negative). */
  readonly rowsReshaped: number;
}

export const NO_ROWS: RowCounts = {
  rowsRead: 0,
  rowsLoaded: 0,
  rowsFiltered: 0,
  rowsDeduplicated: 0,
  rowsQuarantined: 0,
  rowsReshaped: 0,
};

/**
 * How far a job is. Counts are of committed rows and never go down, attempts included; only a verdict that begins the
 * job anew starts them over, and a cancel that removes its rows.
 */
export interface JobProgress extends RowCounts {
  /** Rows that will be loaded; null until the source has been evaluated. */
  readonly totalRows: number | null;
  readonly chunksDone: number;
  readonly chunksTotal: number | null;
  /** Loaded rows per second since loading began; null before. */
  readonly rowsPerSecond: number | null;
  readonly etaSeconds: number | null;
  /** Share of the current stage that is done, 0 to 1; null when unknown. */
  readonly stageProgress: number | null;
}

export interface JobError {
  readonly code: ErrorCode;
  readonly failureClass: FailureClass;
  readonly message: string;
  /** The part of the spec at fault, when one is. */
  readonly path?: readonly (string | number)[];
  /** JSON facts, e.g. the first offending rows under `samples`. */
  readonly details?: Readonly<Record<string, unknown>>;
}

export interface Job {
  readonly id: string;
  readonly tenant: string;
  readonly kind: JobKind;
  readonly name: string;
  /** Agent id of the layer that answers for this job, e.g. `layer-12`. */
  readonly owner: string;
  readonly state: JobState;
  readonly stage: JobStage | null;
  /** The parsed spec with its defaults, as JSON; `parsePipeline` binds it again. */
  readonly spec: unknown;
  readonly idempotencyKey: string | null;
  readonly priority: number;
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly error: JobError | null;
  readonly progress: JobProgress;
  readonly lastSeq: number;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  /** When a RETRYING job is tried again, or has its turn in a redrive. */
  readonly dueAt: Date | null;
  readonly cancelRequested: boolean;
  /** The job whose quarantined rows it loads; null for a job with a source of its own. */
  readonly replayOf: string | null;
}

/**
 * How an attempt ended. FAILED is tried again or not, as its job says. RELEASED (its worker was told to stop), PAUSED and
 * LEASE_LOST (its worker stopped answering) use up no try.
 */
export const ATTEMPT_OUTCOMES = ['SUCCEEDED', 'FAILED', 'CANCELLED', 'PAUSED', 'RELEASED', 'LEASE_LOST'] as const;
export type AttemptOutcome = (typeof ATTEMPT_OUTCOMES)[number];

/** A stretch in which a job ran, from a claim until it ran no more. */
export interface JobAttempt {
  /** The event with which it began; unique in the job, and growing. */
  readonly seq: number;
  /** Which try it is, from 1; one that used up no try has the number of the next one. */
  readonly number: number;
  /** Who claimed it; others may have helped to load. */
  readonly worker: string;
  readonly startedAt: Date;
  /** Null while it runs. */
  readonly endedAt: Date | null;
  readonly durationMs: number | null;
  readonly outcome: AttemptOutcome | null;
  readonly error: Pick<JobError, 'code' | 'message'> | null;
}

/** Why a row is in quarantine. */
export interface QuarantineReason {
  readonly column: string | null;
  readonly code: string;
  readonly message: string;
  /** Position in the spec of the expectation that it broke; missing when a step or the source set it aside. */
  readonly expectation?: number | null;
}

/**
 * What became of a quarantined row. FIXED has values that the pipeline takes; REPLAYING is being loaded by a job of its
 * own and goes back to what it was when that ends without success; REPLAYED and DISCARDED are final.
 */
export const QUARANTINE_STATUSES = ['OPEN', 'FIXED', 'REPLAYING', 'REPLAYED', 'DISCARDED'] as const;
export type QuarantineStatus = (typeof QUARANTINE_STATUSES)[number];

/** Something that was done to a quarantined row. */
export interface QuarantineChange {
  readonly at: Date;
  /** Name of the caller's token. */
  readonly by: string;
  readonly status: 'FIXED' | 'DISCARDED';
  /** The fixed values before, as JSON text; null when there were none. */
  readonly before: string | null;
  /** Why it was discarded. */
  readonly reason: string | null;
}

export interface QuarantinedRow {
  readonly id: string;
  readonly jobId: string;
  readonly chunk: number;
  /** 1-based record number in its file (a header does not count); null for rows made by a `sql` step. */
  readonly rowNumber: number | null;
  readonly file: string | null;
  readonly reasons: readonly QuarantineReason[];
  /** The record as it was read: JSON text of the source columns, or the raw line when it has the wrong shape. */
  readonly raw: string;
  readonly status: QuarantineStatus;
  /** The values that are replayed in place of the raw record, a JSON object as text; null when nobody has fixed it. */
  readonly fixedValues: string | null;
  /** Oldest first. */
  readonly history: readonly QuarantineChange[];
  /** The job that loads it, or has. */
  readonly replayJobId: string | null;
  /** The row that was replayed when this one was set aside; null in the quarantine of a job with a source of its own. */
  readonly originId: string | null;
  readonly createdAt: Date;
}

/** Rows that were set aside for the same reason. */
export interface QuarantineGroup {
  readonly code: string;
  readonly column: string | null;
  /** Position of the expectation in the spec, when one set the rows aside. */
  readonly expectation: number | null;
  readonly rows: number;
  /** The first of them. */
  readonly sample: QuarantinedRow;
}
