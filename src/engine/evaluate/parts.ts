import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Column, quoteIdentifier as q, quoteLiteral } from '../column.js';
import type { Relation } from '../relation.js';
import type { Session } from '../session.js';
import type { Part, SinkBinding } from '../sinks/sink.js';
import { fates } from './fate.js';
import { jsonValue, rowLine } from './row-line.js';
import type { LineRange } from './scan-lines.js';
import { TEXT_FORMAT } from './text-format.js';

/** A part that grows beyond this loads no faster and is lost at once when a worker dies. */
export const MAX_PART_BYTES = 16 * 1024 * 1024;
const MIN_PART_BYTES = 4 * 1024;

const SAMPLED_ROWS = 2_000;
/** Less than this makes one part in any case; looking at its first rows would only cost time. */
const SMALL_SOURCE_BYTES = 64 * 1024;

export interface Writing {
  /** Puts the source under a SELECT of the relation. */
  readonly wrap: (select: string) => string;
  readonly sink: SinkBinding;
  readonly stagingDir: string;
  readonly chunkRows: number;
  /** Bytes that the source is read from. */
  readonly sourceBytes: number;
  readonly onProgress: ((fraction: number) => void) | undefined;
}

/**
 * Writes the good rows: as parts of about `chunkRows` rows in COPY's text format, or as the one file that a
 * file sink wants. @returns rows written
 */
export async function writeGoodRows(
  session: Session,
  relation: Relation,
  { wrap, sink, stagingDir, chunkRows, sourceBytes, onProgress }: Writing,
): Promise<number> {
  const { good } = fates(relation.gates);
  const { staging } = sink;
  if (staging.kind === 'FILE') {
    const columns = relation.columns.map((column) => fileValue(column, staging.format)).join(', ');
    const select = wrap(`SELECT ${columns} FROM (${relation.toSql()}) WHERE ${good}`);
    return session.runBeside(
      `COPY (${select}) TO ${quoteLiteral(join(stagingDir, 'output'))} (${staging.copyOptions})`,
      onProgress,
    );
  }
  const select = wrap(
    `SELECT ${rowLine(relation.columns, staging.kind)} AS line FROM (${relation.toSql()}) WHERE ${good}`,
  );
  const size = sourceBytes < SMALL_SOURCE_BYTES ? MAX_PART_BYTES : await partBytes(session, select, chunkRows);
  await mkdir(join(stagingDir, 'rows'));
  return session.runBeside(
    `COPY (${select}) TO ${quoteLiteral(join(stagingDir, 'rows'))} (${TEXT_FORMAT}, FILE_SIZE_BYTES '${size}B', OVERWRITE_OR_IGNORE true)`,
    onProgress,
  );
}

const fileValue = (column: Column, format: string): string =>
  format === 'ndjson' ? `${jsonValue(column)} AS ${q(column.name)}` : q(column.name);

/** Size of a part so that it holds about `chunkRows` rows, judged by the first rows. */
async function partBytes(session: Session, select: string, chunkRows: number): Promise<number> {
  const [row] = await session.queryBeside(`SELECT avg(strlen(line)) AS width FROM (${select} LIMIT ${SAMPLED_ROWS})`);
  const width = Number(row?.width ?? 0) + 1;
  return Math.round(Math.min(MAX_PART_BYTES, Math.max(MIN_PART_BYTES, width * chunkRows)));
}

/**
 * Writes every row in source order, bad and filtered ones as marked lines: see `markedLines`.
 * @returns the file, and how many lines were written
 */
export async function writeMarkedLines(
  session: Session,
  select: string,
  stagingDir: string,
  onProgress: ((fraction: number) => void) | undefined,
): Promise<{ readonly file: string; readonly lines: number }> {
  await mkdir(join(stagingDir, 'rows'));
  const file = join(stagingDir, 'rows', 'lines');
  // On the main connection: what a reader rejects meanwhile is gathered there.
  const lines = await session.run(`COPY (${select}) TO ${quoteLiteral(file)} (${TEXT_FORMAT})`, onProgress);
  return { file, lines };
}

/**
 * The parts of an evaluation, in a stable order.
 * @param cut the pieces of the file of lines, when there is one
 */
export async function listParts(
  stagingDir: string,
  rowsGood: number,
  cut: { readonly file: string; readonly ranges: readonly LineRange[] } | null,
): Promise<readonly Part[]> {
  const rows: Omit<Part, 'ordinal'>[] =
    cut === null
      ? await filesOf(join(stagingDir, 'rows'), 'ROWS')
      : cut.ranges.map(({ offset, bytes, rows }) => ({
          kind: 'ROWS',
          uri: cut.file,
          offset,
          bytes,
          expectedRows: rows,
        }));
  const output = await filesOf(stagingDir, 'FILE', 'output');
  const quarantine = await filesOf(join(stagingDir, 'quarantine'), 'QUARANTINE');
  return [...rows, ...output.map((part) => ({ ...part, expectedRows: rowsGood })), ...quarantine].map(
    (part, ordinal) => ({ ...part, ordinal }),
  );
}

async function filesOf(directory: string, kind: Part['kind'], only?: string): Promise<Omit<Part, 'ordinal'>[]> {
  const names = await readdir(directory).catch(() => []);
  const found: Omit<Part, 'ordinal'>[] = [];
  for (const name of names.sort()) {
    if (only !== undefined && name !== only) continue;
    const uri = join(directory, name);
    const { size } = await stat(uri);
    // DuckDB leaves an empty file when there was no row.
    if (size > 0 || kind === 'FILE') found.push({ kind, uri, offset: 0, bytes: size, expectedRows: null });
  }
  return found;
}
