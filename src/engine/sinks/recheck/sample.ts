import { decodeLine } from './decode-line.js';
import type { ReadBack } from './read-back.js';

/** A row as it was evaluated: one value a column, as text. */
type Row = readonly (string | null)[];

/** A sample of rows as they were evaluated, and the columns by which they are looked for. */
export interface Sample {
  readonly rows: readonly Row[];
  /** Places of columns in which no row of the sample is null. */
  readonly anchors: readonly number[];
}

// More columns make the search dearer and find little more.
const MAX_ANCHORS = 3;

/** Rows that have a value in each of the columns. */
const complete = (rows: readonly Row[], columns: readonly number[]): readonly Row[] =>
  rows.filter((row) => columns.every((column) => (row[column] ?? null) !== null));

const countDistinct = (rows: readonly Row[], columns: readonly number[]): number =>
  new Set(rows.map((row) => JSON.stringify(columns.map((column) => row[column])))).size;

/** Rows that are looked for by the columns of a unique index. */
export const keyedSample = (lines: readonly string[], key: readonly number[]): Sample => ({
  rows: complete(lines.map(decodeLine), key),
  anchors: key,
});

/** Rows that are looked for by the columns which tell them apart best. */
export function tellingSample(lines: readonly string[], columns: ReadBack['columns']): Sample {
  let rows: readonly Row[] = [...new Set(lines)].map(decodeLine);
  let anchors: readonly number[] = [];
  for (let told = 0; anchors.length < MAX_ANCHORS && told < rows.length; ) {
    let best: { readonly anchors: readonly number[]; readonly rows: readonly Row[] } | null = null;
    const before = told;
    for (const [column, { comparable }] of columns.entries()) {
      if (!comparable) continue;
      const wider = [...anchors, column];
      const left = complete(rows, wider);
      const score = countDistinct(left, wider);
      if (score <= told) continue;
      [best, told] = [{ anchors: wider, rows: left }, score];
    }
    if (best === null || told === before) break;
    ({ anchors, rows } = best);
  }
  return { rows, anchors };
}
