import { type Column, quoteIdentifier, quoteLiteral } from '../column.js';
import type { ResolvedFile } from '../pipeline.js';
import { HIDDEN_PREFIX, type NewCheck, type Projection } from '../relation.js';
import type { Session } from '../session.js';
import { MAX_LINE_BYTES, READ_BUFFER_BYTES } from './inspect-text.js';

/** A relation that a source reads from. */
export interface SourceRelation {
  /** SQL for a FROM clause; records that the reader cannot make a row of are left out. */
  readonly from: string;
  /** The same, leaving those records in `rejects`. */
  readonly fromKeepingRejects: string;
  /** What the user sees, as expressions over `from`. */
  readonly columns: readonly Projection[];
  /** Rules of the source itself: malformed records, values that do not fit the inferred type. */
  readonly checks: readonly NewCheck[];
  /** Source columns to carry along, under hidden names, so that the record can be shown as it was read. */
  readonly rawColumns: readonly Projection[];
  /** SQL text expression over `rawColumns`; evaluated for bad rows only. */
  readonly raw: string;
  /**
   * SQL of the 1-based record number when the reader knows it without ordering, else null. Numbers of later files are
   * larger by FILE_STRIDE each, so that they order all rows.
   */
  readonly rowNumber: string | null;
  /** SQL of the path of the file that the row came from. */
  readonly file: string;
  /** Where `fromKeepingRejects` leaves what it could not make a row of; null when the source has no such records. */
  readonly rejects: RejectsTable | null;
  /** Header lines that `line` in the rejects counts. */
  readonly headerLines: number;
}

/** Tables that DuckDB's CSV reader fills with `store_rejects`. */
export interface RejectsTable {
  readonly errors: string;
  readonly scans: string;
}

export const REJECTS: RejectsTable = { errors: 'sluice_rejects', scans: 'sluice_reject_scans' };
const SIZES = [`max_line_size=${MAX_LINE_BYTES}`, `buffer_size=${READ_BUFFER_BYTES}`];
const FORGOTTEN: RejectsTable = { errors: 'sluice_forgotten', scans: 'sluice_forgotten_scans' };

export type CsvReaders = Pick<SourceRelation, 'from' | 'fromKeepingRejects' | 'rejects'>;

/**
 * Two readers of the same files: one leaves malformed records in `REJECTS`, the other forgets them. The second stores
 * one of them all the same, since `ignore_errors` alone drops every row behind a quoted value that text follows.
 */
export function csvReaders(options: readonly string[]): CsvReaders {
  const reader = ({ errors, scans }: RejectsTable, extra: readonly string[]): string =>
    `read_csv(${[...options, ...SIZES, 'store_rejects=true', `rejects_table='${errors}'`, `rejects_scan='${scans}'`, ...extra].join(', ')})`;
  return {
    from: reader(FORGOTTEN, ['rejects_limit=1']),
    fromKeepingRejects: reader(REJECTS, []),
    rejects: REJECTS,
  };
}

export interface SourceContext {
  readonly session: Session;
  readonly files: readonly ResolvedFile[];
  /** Folder for what a source must lay down first: unpacked files, inline records. */
  readonly workDir: string;
  readonly signal: AbortSignal;
  /** Whether the rows will be loaded, so that looking through all bytes first pays. */
  readonly isLoading: boolean;
}

export interface SourceBinding {
  /** URIs to resolve before reading; none for inline records. */
  readonly uris: readonly string[];
  /** Lays down what DuckDB cannot read where it is; runs once per session. @returns the files to read instead */
  stage(files: readonly ResolvedFile[], workDir: string, signal: AbortSignal): Promise<readonly ResolvedFile[]>;
  /** @throws SluiceError FILE_UNREADABLE, DUPLICATE_COLUMN */
  open(context: SourceContext): Promise<SourceRelation>;
}

/** Raw record of a source with plain columns: they are carried along, and a JSON object is made of them. */
export function rawRecord(columns: readonly Column[]): Pick<SourceRelation, 'rawColumns' | 'raw'> {
  const rawColumns = columns.map(({ name, type }, i) => ({
    name: `${HIDDEN_PREFIX}s${i}`,
    sql: quoteIdentifier(name),
    type,
  }));
  const pairs = rawColumns.map(
    (carried, i) =>
      `${quoteLiteral(columns[i]?.name ?? '')}, ${exactJson(quoteIdentifier(carried.name), carried.type)}`,
  );
  return { rawColumns, raw: `CAST(json_object(${pairs.join(', ')}) AS VARCHAR)` };
}

/** Numbers that JSON readers would round or cannot hold are written as text. */
function exactJson(sql: string, type: string): string {
  if (/^(DECIMAL|HUGEINT|UHUGEINT|BLOB)/.test(type)) return `CAST(${sql} AS VARCHAR)`;
  if (/^(DOUBLE|FLOAT)$/.test(type)) {
    return `CASE WHEN isfinite(${sql}) THEN to_json(${sql}) ELSE to_json(CAST(${sql} AS VARCHAR)) END`;
  }
  return sql;
}
