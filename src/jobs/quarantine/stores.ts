import type { Job, QuarantinedRow } from '../job.js';
import type { Page, PageRequest } from '../ports.js';
import type { ClaimedChunk, NewJob, SinkClient, SourceColumn } from '../stores.js';
import type { LaunchedReplay, QuarantineFilter, QuarantineOverview } from './ports.js';

export interface CopyTarget {
  readonly table: { readonly schema: string; readonly name: string };
  readonly columns: readonly string[];
}

/** Rows in quarantine as they come and as they are read. */
export interface QuarantineStore {
  /** Readies the transaction for a COPY into the quarantine. @returns where to copy */
  beginCopy(client: SinkClient, chunk: ClaimedChunk): Promise<CopyTarget>;
  /** Says of the rows that a replay has copied which row each of them was, and where that came from. */
  tieToOrigins(client: SinkClient, chunk: ClaimedChunk): Promise<void>;
  /** Writes the rows that a replay has claimed into a file, in their order. @returns how many */
  layReplayed(job: Pick<Job, 'id' | 'tenant'>, path: string): Promise<number>;
  /** @throws SluiceError CURSOR_INVALID */
  list(tenant: string, filter: QuarantineFilter, page: PageRequest): Promise<Page<QuarantinedRow>>;
  /** Rows by what is wrong with them, most first; a row with several reasons is in several groups. */
  groups(tenant: string, filter: QuarantineFilter, first: number): Promise<QuarantineOverview>;
  /**
   * The next rows after an id, for a reader that goes through all of them.
   * @returns with each row whether its raw record is an object of the source's columns
   */
  read(
    tenant: string,
    filter: QuarantineFilter,
    afterId: string,
    limit: number,
  ): Promise<readonly (QuarantinedRow & { readonly isSplit: boolean })[]>;
}

/** What is done to rows in quarantine. Changes of the rows of one job wait for each other. */
export interface QuarantineChanges {
  /** The columns of the source of a job; null when they were not kept. */
  sourceColumns(tenant: string, jobId: string): Promise<readonly SourceColumn[] | null>;
  /**
   * Stores the job and claims its rows, in one transaction: the first ones of the filter that are OPEN or FIXED and have
   * values. They go back, or become REPLAYED, in the transaction in which the job ends.
   * @returns the first answer with `replayed` when the idempotency key was used with the same spec hash
   * @throws SluiceError IDEMPOTENCY_CONFLICT; NOTHING_TO_REPLAY, and no job is stored
   */
  launchReplay(job: NewJob & { readonly replayOf: string }, filter: QuarantineFilter): Promise<LaunchedReplay>;
  /**
   * Writes the rows to be fixed into a file: id, revision and record, as CSV. With ids each must be a row that can be
   * fixed; without, those of the filter are meant that are OPEN or FIXED and have values.
   * @throws SluiceError ROW_NOT_FOUND, STATE_NOT_ALLOWED with the position in the ids; INVALID_INPUT for more than `most`
   */
  layRows(tenant: string, filter: QuarantineFilter, path: string, most: number): Promise<void>;
  /**
   * Stores the fixed records of a file in the form of `layRows`.
   * @returns how many; a row that was changed since it was laid keeps what it has
   */
  storeFixed(tenant: string, jobId: string, by: string, path: string): Promise<number>;
  /**
   * Gives rows up. With ids each must be OPEN, FIXED or DISCARDED; without, those of the filter are meant that are OPEN or
   * FIXED. @returns how many are DISCARDED that were not before @throws UserErrors ROW_NOT_FOUND, STATE_NOT_ALLOWED
   */
  discard(tenant: string, filter: QuarantineFilter, by: string, reason: string): Promise<number>;
  /** Rows that a replay has claimed and has not given back. */
  countReplayed(jobId: string): Promise<number>;
}
