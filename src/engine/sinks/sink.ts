import type { PoolClient } from 'pg';
import type { Column } from '../column.js';

/** A connection that a sink works on; nobody outside of the sinks needs to know whose it is. */
export type SinkClient = PoolClient;

/** A part file of an evaluation: immutable, load-ready. */
export interface Part {
  /** From 0, dense per job. */
  readonly ordinal: number;
  /**
   * ROWS: PostgreSQL COPY text format (tab, `\N`, backslash escapes), columns in the order of the output. Lines that
   *   begin with `MARK` are no rows. For a sink that stages JSON, a line is a JSON object instead.
   * QUARANTINE: the same format with the columns row_number, file, reasons, raw.
   * FILE: the finished file of a file sink, still aside of its place.
   */
  readonly kind: 'ROWS' | 'QUARANTINE' | 'FILE';
  /** Absolute path inside the staging area. */
  readonly uri: string;
  /** Where in the file it begins; several ROWS parts may share a file. */
  readonly offset: number;
  readonly bytes: number;
  /** Rows inside when the evaluation knows them. */
  readonly expectedRows: number | null;
}

/** A column of the target as the plan must meet it. */
export interface TargetColumn {
  readonly name: string;
  /** The DuckDB type to cast to so that the value is exactly what the target takes. */
  readonly type: string;
  /** The PostgreSQL type as `format_type` prints it, e.g. `numeric(12,2)`. */
  readonly nativeType: string;
  readonly nullable: boolean;
  /** Longest text in characters, for `varchar(n)` and `char(n)`. */
  readonly maxLength: number | null;
  /** Allowed labels of an enum. */
  readonly labels: readonly string[] | null;
}

/** What a sink knows of its target before anything is written. */
export interface SinkTarget {
  /** null when the target does not exist and will be created from the output. */
  readonly columns: readonly TargetColumn[] | null;
  /** Columns whose value must be unique and not null in the output (UPSERT); the last row in source order wins. */
  readonly key: readonly string[];
}

/**
 * What a loaded part is to its target.
 * - STAGED: nothing, until the job publishes.
 * - REPEATABLE: its rows are there for good, and loading them again changes nothing.
 * - PERMANENT: its rows are there for good, and loading them again would double them.
 */
export type PartEffect = 'STAGED' | 'REPEATABLE' | 'PERMANENT';

/** A sample of rows that were read back from the target and compared with what was evaluated. */
export interface Recheck {
  /** Rows that were read back; 0 when none could be. */
  readonly rows: number;
  readonly differing: number;
  /** Names of the columns in which they differ. */
  readonly columns: readonly string[];
  /** Why nothing was read back, when something went wrong. */
  readonly problem: string | null;
}

export interface LoadedPart {
  /** Rows of the part, also those that changed nothing. */
  readonly rows: number;
  /** Null when the target is not written yet, or is the very thing that was evaluated. */
  readonly recheck: Recheck | null;
}

/** What was loaded of a job, for a sink that writes its target only when it publishes. */
export interface LoadedRows {
  readonly rows: number;
  /** The parts with the rows. */
  parts(): Promise<readonly Part[]>;
}

/** Where the rows of a load went, and how. */
export interface LoadTarget {
  readonly schema: string;
  readonly table: string;
  readonly mode: string;
}

/** JSON that `prepare` leaves on the job row; every worker loads and publishes from it. */
export type PreparedSink = Readonly<Record<string, unknown>>;

/** A request of an HTTP sink. */
export interface HttpRequest {
  /** Below the URL of the connection; null for that URL itself. */
  readonly path: string | null;
  readonly method: 'POST' | 'PUT';
  readonly contentType: string;
  /** The `Idempotency-Key`. */
  readonly key: string;
  readonly body: Uint8Array;
}

/** The endpoints that the operator has named, for HTTP sinks. */
export interface HttpEndpoints {
  /** Whether it is known and may be called; sends nothing. @throws SluiceError UNKNOWN_CONNECTION, TARGET_NOT_ALLOWED */
  check(connection: string): Promise<void>;
  /**
   * Resolves when it has answered 2xx.
   * @throws SluiceError TARGET_REFUSED, TARGET_UNAVAILABLE (details: retryAfterMs) and what `check` throws; the reason of
   *   the signal
   */
  send(connection: string, request: HttpRequest, signal: AbortSignal): Promise<void>;
}

/** Where a loader works that no transaction reaches. */
export interface Delivery {
  readonly signal: AbortSignal;
  readonly endpoints?: HttpEndpoints | undefined;
}

/** Where a loader works: the client of the open transaction that also updates the chunk and the job. */
export interface SinkTransaction extends Delivery {
  readonly client: PoolClient;
}

/** How a file sink finds the place that its URI names; the engine's FileResolver is one. Table sinks do not look at it. */
export interface TargetResolver {
  /** @throws SluiceError FILE_NOT_ALLOWED, INVALID_INPUT */
  resolveTarget(uri: string): Promise<string>;
}

/**
 * The target of a job, bound to its options. A sink holds no connection: it works on the client it is given,
 * so that rows, counters and state are one transaction.
 */
export interface SinkBinding {
  /** Name of the database it writes through; null for sinks that write to none, whose parts the system's own counts. */
  readonly connection: string | null;
  /** Column in which every row carries the id of its load; null and missing: none. */
  readonly loadIdColumn?: string | null;
  /** How good rows are staged: COPY text parts, parts of JSON lines, or one finished file in the sink's own format. */
  readonly staging:
    | { readonly kind: 'ROWS' }
    | { readonly kind: 'JSON' }
    | {
        readonly kind: 'FILE';
        readonly format: 'csv' | 'ndjson' | 'parquet';
        readonly copyOptions: string;
        readonly uri: string;
      };
  /**
   * Reads the target and checks names, privileges and columns against the output, before any row is read.
   * @throws SluiceError TARGET_NOT_FOUND, TARGET_NOT_ALLOWED, TARGET_INCOMPATIBLE; FILE_NOT_ALLOWED and INVALID_INPUT
   *   for files; UNKNOWN_CONNECTION for endpoints. `details.problems` lists every mistake found, `path` names the option at fault.
   */
  inspect(
    client: PoolClient,
    output: readonly Column[],
    files: TargetResolver,
    endpoints?: HttpEndpoints,
  ): Promise<SinkTarget>;
  /**
   * Makes what loading needs (table, staging table) in the transaction that also stores the parts. Idempotent per
   * job: called again, it starts from an empty staging table, so never after a part of the job was loaded.
   */
  prepare(
    client: PoolClient,
    job: { readonly id: string },
    output: readonly Column[],
    files: TargetResolver,
  ): Promise<PreparedSink>;
  /** Loads one part; called again with the same part only when the transaction before was rolled back. */
  load(tx: SinkTransaction, prepared: PreparedSink, part: Part): Promise<LoadedPart>;
  /**
   * Loads one part in place of `load`, for a sink whose target no transaction reaches, so that none is open meanwhile. A
   * part may be delivered again although it was before: its count is what may not have been committed.
   */
  deliver?(delivery: Delivery, prepared: PreparedSink, part: Part): Promise<LoadedPart>;
  /** What its parts are to the target once they are loaded. Missing: STAGED. */
  effectOf?(prepared: PreparedSink): PartEffect;
  /** What is remembered of a load once it is complete. Missing, and null: nothing, for no row tells of its load. */
  loadOf?(prepared: PreparedSink): LoadTarget | null;
  /** Removes the rows of the load `loadId` that are in the target for good. @returns how many */
  removeLoad?(tx: SinkTransaction, loadId: string): Promise<number>;
  /**
   * Makes everything visible, in the finishing transaction.
   * @returns what a re-check of the published rows says, in place of those of the parts; null when those stand
   * @throws SluiceError CONSTRAINT_VIOLATION
   */
  publish(tx: SinkTransaction, prepared: PreparedSink, loaded: LoadedRows): Promise<Recheck | null>;
  /** Removes what `prepare` made and `publish` has not taken over; after failure or cancel. Idempotent. */
  discard(client: PoolClient, prepared: PreparedSink): Promise<void>;
}
