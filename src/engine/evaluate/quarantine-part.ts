import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SluiceError } from '../../core/errors.js';
import { quoteIdentifier as q, quoteLiteral } from '../column.js';
import { BASE, withBase } from '../compile.js';
import type { ResolvedFile } from '../pipeline.js';
import { FILE, ROW_NUMBER, withinFile } from '../relation.js';
import type { Session } from '../session.js';
import type { RejectsTable, SourceRelation } from '../sources/source.js';
import { BAD_ROWS, type Sample } from './accounting.js';
import { escapeText, TEXT_FORMAT } from './text-format.js';

/** Table of records that the reader could not make a row of: file, line, reasons (JSON), raw, rank. */
const REJECTED = 'sluice_rejected';
/** View of all bad rows as users see them: row_number, file, reasons, raw. */
const QUARANTINE = 'sluice_quarantine';

/** How DuckDB calls a record of the wrong shape, and how we do. */
const REJECT_CODES: readonly (readonly [string, string])[] = [
  ['MISSING COLUMNS', 'TOO_FEW_COLUMNS'],
  ['TOO MANY COLUMNS', 'TOO_MANY_COLUMNS'],
  ['UNQUOTED VALUE', 'QUOTE_NOT_CLOSED'],
  ['LINE SIZE OVER MAXIMUM', 'LINE_TOO_LONG'],
  ['INVALID ENCODING', 'WRONG_ENCODING'],
];

export async function createBadRowsTable(session: Session): Promise<void> {
  await session.run(
    `CREATE TABLE ${BAD_ROWS} (pass INTEGER, rn BIGINT, file VARCHAR, reasons JSON, broken INTEGER[], raw VARCHAR)`,
  );
}

/**
 * Gathers what the reader has rejected while the last query read the source. A record with several errors
 * counts once. @returns the number of rejected records
 */
export async function gatherRejects(session: Session, source: SourceRelation): Promise<number> {
  const select = source.rejects === null ? NO_REJECTS : rejectedRecords(source.rejects, source.headerLines);
  await session.run(`CREATE TABLE ${REJECTED} AS ${select}`);
  const [row] = await session.query(`SELECT count(*) AS n FROM ${REJECTED}`);
  return Number(row?.n ?? 0);
}

const NO_REJECTS = `SELECT NULL::VARCHAR AS file, NULL::BIGINT AS line, NULL::JSON AS reasons, NULL::VARCHAR AS raw, NULL::BIGINT AS before, NULL::BIGINT AS rank LIMIT 0`;

function rejectedRecords({ errors, scans }: RejectsTable, headerLines: number): string {
  const codes = REJECT_CODES.map(([theirs, ours]) => `WHEN '${theirs}' THEN '${ours}'`).join(' ');
  // `before` is how many accepted rows stand before the record in its file: its line less the rejected ones so far.
  return `SELECT file, line, reasons, raw, line - row_number() OVER (PARTITION BY file ORDER BY line) AS before, row_number() OVER (PARTITION BY file ORDER BY line) AS rank FROM (
    SELECT s.file_path AS file, e.line - ${headerLines} AS line,
      to_json([json_object('column', first(e.column_name), 'code', CASE first(e.error_type::VARCHAR) ${codes} ELSE 'MALFORMED_RECORD' END, 'message', first(e.error_message))]) AS reasons,
      coalesce(first(e.csv_line), '') AS raw
    FROM ${errors} e JOIN ${scans} s USING (scan_id, file_id) GROUP BY s.file_path, e.line)`;
}

/**
 * Puts rows and rejected records together under their record number in their own file.
 * @param numberedPerFile whether `rn` starts anew in each file (Parquet) or goes on over all of them (CSV)
 */
export async function createQuarantineView(
  session: Session,
  files: readonly ResolvedFile[],
  source: SourceRelation,
  hasBadRows: boolean,
): Promise<void> {
  const uris = files.map((file) => `(${quoteLiteral(file.path)}, ${quoteLiteral(file.uri)})`).join(', ');
  await session.run(`CREATE TABLE sluice_uris AS SELECT * FROM (VALUES ${uris}) AS t(path, uri)`);
  const global = source.rowNumber === null && files.length > 1 && hasBadRows;
  const starts = global
    ? withBase(source, `SELECT ${q(FILE)} AS file, min(${q(ROW_NUMBER)}) - 1 AS skipped FROM ${q(BASE)} GROUP BY 1`, {
        rowNumbers: true,
        keepRejects: false,
      })
    : `SELECT path AS file, 0 AS skipped FROM sluice_uris`;
  await session.run(`CREATE TABLE sluice_starts AS ${starts}`);
  // A row's number among the accepted ones plus the rejected records before it.
  await session.run(`CREATE VIEW ${QUARANTINE} AS
    SELECT b.n + coalesce(r.rank, 0) AS row_number, u.uri AS file, b.reasons, b.raw
      FROM (SELECT ${withinFile('(x.rn - coalesce(s.skipped, 0))')} AS n, x.file, x.reasons, x.raw FROM ${BAD_ROWS} x LEFT JOIN sluice_starts s ON s.file = x.file) b
      ASOF LEFT JOIN (SELECT file, before, max(rank) AS rank FROM ${REJECTED} GROUP BY file, before) r ON r.file = b.file AND b.n > r.before
      LEFT JOIN sluice_uris u ON u.path = b.file
    UNION ALL
    SELECT line, u.uri, reasons, raw FROM ${REJECTED} r LEFT JOIN sluice_uris u ON u.path = r.file`);
}

/**
 * Writes the bad rows as parts in COPY's text format, below a folder of their own.
 * @throws SluiceError RECONCILIATION_FAILED when they are not as many
 */
export async function writeQuarantine(session: Session, stagingDir: string, rows: number): Promise<void> {
  if (rows === 0) return;
  const directory = join(stagingDir, 'quarantine');
  await mkdir(directory);
  const line = `concat_ws(chr(9), coalesce(CAST(row_number AS VARCHAR), '\\N'), coalesce(file, '\\N'), ${quarantineText('CAST(reasons AS VARCHAR)', 'raw')})`;
  const written = await session.run(`COPY (SELECT ${line} AS line FROM (
      SELECT row_number, ${escapeText('file')} AS file, reasons, raw FROM ${QUARANTINE} ORDER BY file, row_number))
    TO ${quoteLiteral(directory)} (${TEXT_FORMAT}, FILE_SIZE_BYTES '16MB')`);
  reconcileQuarantine(rows, written);
}

/** @throws SluiceError RECONCILIATION_FAILED when not all bad rows were written */
export function reconcileQuarantine(rows: number, written: number): void {
  if (written === rows) return;
  throw new SluiceError(
    'RECONCILIATION_FAILED',
    `${rows} rows are bad, but ${written} went to quarantine; nothing was loaded.`,
  );
}

/**
 * The last two values of a line of the quarantine, as one text.
 * @param reasons SQL of the text of a JSON list
 */
export function quarantineText(reasons: string, raw: string): string {
  // jsonb holds no \\u0000, text no NUL: both are shown as the replacement character.
  return `concat(${escapedWithout(`'\\u0000'`, reasons)}, chr(9), ${escapedWithout('chr(0)', raw)})`;
}

/**
 * Bound by a lambda, because the engine computes an expression as often as it is named; and replacing costs more than
 * looking whether there is anything to replace.
 */
const escapedWithout = (character: string, text: string): string =>
  `list_transform([${text}], lambda t: CASE WHEN contains(t, ${character}) THEN ${escapeText(`replace(t, ${character}, chr(65533))`)} ELSE ${escapeText('t')} END)[1]`;

/** Writes the rejected records of a single file in order: their line, how many accepted rows stand before, the rest of their line in the quarantine. */
export async function writeRejects(session: Session, path: string): Promise<void> {
  const line = `concat_ws(chr(9), line, before, ${quarantineText('CAST(reasons AS VARCHAR)', 'raw')})`;
  await session.run(
    `COPY (SELECT ${line} AS line FROM (SELECT * FROM ${REJECTED} ORDER BY line)) TO ${quoteLiteral(path)} (${TEXT_FORMAT})`,
  );
}

/** A bad row with its reasons, for errors and previews. */
export interface BadRow extends Sample {
  readonly reasons: readonly { readonly column: string | null; readonly code: string; readonly message: string }[];
}

/** The first ones. */
export async function firstBadRows(session: Session, limit: number): Promise<readonly BadRow[]> {
  const rows = await session.query(
    `SELECT row_number, CAST(reasons AS VARCHAR) AS reasons, raw FROM ${QUARANTINE} ORDER BY file, row_number LIMIT ${limit}`,
  );
  return rows.map((row) => ({
    rowNumber: row.row_number === null ? null : Number(row.row_number),
    raw: String(row.raw),
    // Written by our own queries as a list of {column, code, message}.
    reasons: JSON.parse(String(row.reasons)) as BadRow['reasons'],
  }));
}
