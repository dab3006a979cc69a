import type { FixOutcome } from '../../engine/replay/fix.js';
import type { Job, QuarantinedRow, QuarantineGroup, QuarantineStatus } from '../job.js';
import type { Caller } from '../job-service.js';
import type { Page, PageRequest } from '../ports.js';

/** Which rows of a job; every member that is set must hold. */
export interface QuarantineFilter {
  readonly jobId: string;
  readonly statuses?: readonly QuarantineStatus[];
  /** Only rows with this reason code, or a reason on this column; with both, with one reason that has both. */
  readonly code?: string;
  readonly column?: string;
  readonly ids?: readonly string[];
}

/** The groups of a job's quarantined rows, the largest first, and how many rows have which status. */
export interface QuarantineOverview {
  readonly groups: readonly QuarantineGroup[];
  readonly totalGroups: number;
  readonly counts: readonly { readonly status: QuarantineStatus; readonly rows: number }[];
}

/** The input of `replayQuarantine`, not yet trusted. */
export interface ReplayRequest {
  /** Without statuses: FIXED rows, and OPEN ones too when the spec is changed. */
  readonly filter: QuarantineFilter;
  /** JSON merge patch for the spec of the job; null leaves it as it was. */
  readonly specPatch: unknown;
  readonly idempotencyKey: string | null;
}

/** The input of `fixQuarantinedRows`, not yet trusted: rows with values, or a filter and expressions. */
export interface FixInput {
  readonly jobId: string;
  readonly rows: readonly { readonly id: string; readonly values: unknown }[] | null;
  readonly filter: Omit<QuarantineFilter, 'jobId'> | null;
  readonly set: readonly { readonly column: string; readonly expression: string }[] | null;
  readonly isDryRun: boolean;
}

/** `fixed`: rows that are stored as FIXED; 0 in a dry run, and fewer than `good` when rows have changed meanwhile. */
export interface FixAnswer extends FixOutcome {
  readonly fixed: number;
}

/** What the API can ask of quarantined rows. @throws SluiceError JOB_NOT_FOUND from every method */
export interface QuarantineService {
  /** @throws SluiceError CURSOR_INVALID */
  list(caller: Caller, filter: QuarantineFilter, page: PageRequest): Promise<Page<QuarantinedRow>>;
  /** A row with several reasons is in several groups. */
  groups(caller: Caller, filter: QuarantineFilter, first: number): Promise<QuarantineOverview>;
  /** All rows of the filter in their order, as lines of JSON in pieces; at no time more than a page is in memory. */
  download(caller: Caller, filter: QuarantineFilter): Promise<AsyncIterable<string>>;
  /**
   * Gives rows other values and runs them through the pipeline of their job, up to its target. What the pipeline takes is
   * stored, unless it is a dry run; nothing is loaded.
   * @throws SluiceError STATE_NOT_ALLOWED, ROW_NOT_FOUND; UserErrors of the input and of the pipeline
   */
  fix(caller: Caller, input: FixInput): Promise<FixAnswer>;
  /**
   * Gives rows up: those with the ids, or those of the filter that are OPEN or FIXED.
   * @returns how many
   * @throws SluiceError STATE_NOT_ALLOWED, ROW_NOT_FOUND, INVALID_INPUT
   */
  discard(caller: Caller, filter: QuarantineFilter, reason: string): Promise<number>;
  /**
   * Starts a job that loads rows after all, through the pipeline of the job that set them aside.
   * @throws SluiceError STATE_NOT_ALLOWED, NOTHING_TO_REPLAY, IDEMPOTENCY_CONFLICT; UserErrors of a patched spec
   */
  replay(caller: Caller, request: ReplayRequest): Promise<LaunchedReplay>;
}

/** A replay as it is stored: `rows` are those that it has claimed and has not given back. */
export interface LaunchedReplay {
  readonly job: Job;
  readonly replayed: boolean;
  readonly rows: number;
}
