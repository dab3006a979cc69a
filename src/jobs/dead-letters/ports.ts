import type { ErrorCode } from '../../core/errors.js';
import type { FailureClass } from '../../core/failure-class.js';
import type { Job } from '../job.js';
import type { Caller } from '../job-service.js';
import type { Page, PageRequest } from '../ports.js';
import type { DeadLetterRefusal } from './way-back.js';

/** Which dead letters; every member that is set must hold. */
export interface DeadLetterFilter {
  readonly failureClass?: FailureClass;
  /** Code of the error, or of the one that came back on every attempt. */
  readonly code?: ErrorCode;
  /** Exact name. */
  readonly name?: string;
  readonly owner?: string;
  readonly fingerprint?: string;
  readonly diedAfter?: Date;
  readonly diedBefore?: Date;
}

/** A job that is DEAD: its attempts are used up, or it took its workers down, and nobody runs it again by itself. */
export interface DeadLetter {
  readonly job: Job;
  /** Equal for jobs that died of the same. */
  readonly fingerprint: string;
  /** How often it was brought back, and died again. */
  readonly redriveCount: number;
}

/** Dead letters with the same fingerprint. */
export interface DeadLetterGroup {
  readonly fingerprint: string;
  readonly count: number;
  readonly firstDiedAt: Date;
  readonly lastDiedAt: Date;
  /** Names of its jobs in order, at most `MOST_NAMES`. */
  readonly names: readonly string[];
  readonly nameCount: number;
  /** The one that died last. */
  readonly sample: Job;
}
export const MOST_NAMES = 20;

/** Some jobs by their ids, or those that match a filter, the ones that died first before the others. */
export type DeadLetterSelection = { readonly ids: readonly string[] } | { readonly filter: DeadLetterFilter };

/** So many are taken by one redrive or discard; the answer says how many are left. */
export const MOST_TAKEN = 10_000;

export interface RefusedDeadLetter {
  readonly jobId: string;
  readonly reason: DeadLetterRefusal;
}
/** So many refusals are told one by one. */
export const MOST_REFUSALS = 1_000;

/** What became of the jobs of a redrive or a discard. */
export interface Taken {
  readonly taken: number;
  readonly refusedCount: number;
  /** The first of them, `MOST_REFUSALS` at most. */
  readonly refused: readonly RefusedDeadLetter[];
  /** Those that match and were not looked at, because so many are not taken at once. */
  readonly remaining: number;
}

export interface Redrive extends Taken {
  readonly id: string;
  /** When the last job has its turn; null when none was taken. */
  readonly lastDueAt: Date | null;
}

export interface RedriveOrder {
  readonly selection: DeadLetterSelection;
  readonly ratePerSecond: number;
  readonly idempotencyKey: string | null;
  /** Hash over everything that makes two redrives the same. */
  readonly inputHash: string;
}

/** That a job was brought back. */
export interface JobRedrive {
  readonly id: string;
  /** Which redrive of the job it is, from 1. */
  readonly number: number;
  readonly at: Date;
  /** Name of the token that asked for it. */
  readonly by: string;
  readonly diedAt: Date;
  readonly fingerprint: string;
  readonly error: { readonly code: ErrorCode; readonly message: string } | null;
}

/** That a dead job was given up. */
export interface JobDiscard {
  readonly at: Date;
  readonly by: string;
  readonly reason: string;
}

export interface DeadLetterStore {
  /** Those that died last first. @throws SluiceError CURSOR_INVALID */
  list(tenant: string, filter: DeadLetterFilter, page: PageRequest): Promise<Page<DeadLetter>>;
  /** The largest first. */
  groups(tenant: string, filter: DeadLetterFilter, first: number): Promise<readonly DeadLetterGroup[]>;
  /**
   * DEAD -> RETRYING in one transaction, with a turn for each: `ratePerSecond` of them become due every second.
   * @returns the first answer with `replayed` when the idempotency key was used with the same input
   * @throws SluiceError IDEMPOTENCY_CONFLICT; UNAVAILABLE when somebody has one of the jobs in hand for long
   */
  redrive(tenant: string, by: string, order: RedriveOrder): Promise<{ redrive: Redrive; replayed: boolean }>;
  /** DEAD -> CANCELLED in one transaction. @throws SluiceError UNAVAILABLE */
  discard(tenant: string, by: string, selection: DeadLetterSelection, reason: string): Promise<Taken>;
  /** The last redrives of the job, oldest first. */
  redrivesOf(tenant: string, jobId: string, last: number): Promise<readonly JobRedrive[]>;
  discardOf(tenant: string, jobId: string): Promise<JobDiscard | null>;
}

/** Which jobs, as a caller names them: by exactly one of the members. */
export interface DeadLetterChoice {
  readonly jobIds?: readonly string[];
  readonly filter?: DeadLetterFilter;
  readonly all?: boolean;
}

export interface RedriveRequest extends DeadLetterChoice {
  /** Default 10. */
  readonly ratePerSecond?: number;
  readonly idempotencyKey?: string;
}

/** What can be asked of dead letters, from any gateway. Mistakes of the caller are thrown as UserErrors with paths. */
export interface DeadLetterService {
  list(caller: Caller, filter: DeadLetterFilter, page: PageRequest): Promise<Page<DeadLetter>>;
  groups(caller: Caller, filter: DeadLetterFilter, first: number): Promise<readonly DeadLetterGroup[]>;
  /** Gives the jobs a new set of attempts, not all at once. */
  redrive(caller: Caller, request: RedriveRequest): Promise<{ redrive: Redrive; replayed: boolean }>;
  /** Gives the jobs up for good. */
  discard(caller: Caller, choice: Omit<DeadLetterChoice, 'all'>, reason: string): Promise<Taken>;
  redrivesOf(caller: Caller, jobId: string, last: number): Promise<readonly JobRedrive[]>;
  discardOf(caller: Caller, jobId: string): Promise<JobDiscard | null>;
}
