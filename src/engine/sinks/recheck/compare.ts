import type { PoolClient } from 'pg';
import { quoteIdentifier } from '../../column.js';
import { quoteTable, type TableName } from '../copy-part.js';
import { type BlockRange, OWN_SQL } from './blocks.js';
import type { ReadBack } from './read-back.js';
import type { Sample } from './sample.js';

export interface ReadTarget extends ReadBack {
  readonly table: TableName;
  /** Names of the columns of the parts, in order. */
  readonly names: readonly string[];
}

/** What a row of the sample is like that was found: the places of the columns that differ, in the one most like it. */
export interface Found {
  readonly row: number;
  readonly differing: readonly number[];
}

/** The rows of the sample, with the values as the server reads them. */
const lineCte = ({ columns }: ReadBack): string =>
  `line AS MATERIALIZED (
     SELECT n, ${columns.map(({ type }, i) => `(v ->> ${i})::${type} AS c${i}`).join(', ')}
       FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS each (v, n))`;

const storedColumns = ({ names }: ReadTarget): string =>
  names.map((name, i) => `${quoteIdentifier(name)} AS c${i}`).join(', ');

const differs = ({ comparable }: ReadBack['columns'][number], i: number): string =>
  comparable ? `own.c${i} IS DISTINCT FROM line.c${i}` : `own.c${i}::text IS DISTINCT FROM line.c${i}::text`;

/** @param own a subquery of the stored rows, with the columns c0, c1, ... */
function compareSql(target: ReadTarget, { anchors }: Sample, own: string): string {
  const compared = target.columns
    .flatMap((column, i) => (column.ignored ? [] : [`CASE WHEN ${differs(column, i)} THEN ${i} END`]))
    .join(', ');
  const on = anchors.map((i) => `own.c${i} = line.c${i}`).join(' AND ');
  return `WITH ${lineCte(target)}, pair AS (
     SELECT line.n, array_remove(ARRAY[${compared}]::integer[], NULL) AS differing FROM line JOIN ${own} AS own ON ${on})
   SELECT DISTINCT ON (n) (n - 1)::integer AS "row", differing FROM pair ORDER BY n, cardinality(differing)`;
}

/** Rows that this transaction has written into the blocks. */
const ownRows = (target: ReadTarget, columns: string): string =>
  `unnest($2::tid[], $3::tid[]) AS range (low, high) CROSS JOIN LATERAL (
     SELECT ${columns} FROM ONLY ${quoteTable(target.table)}
      WHERE ctid >= range.low AND ctid < range.high AND ${OWN_SQL}
     -- Not flattened: only so are the blocks alone read.
     OFFSET 0) AS stored`;

const tids = (ranges: readonly BlockRange[], end: 0 | 1): string[] => ranges.map((range) => `(${range[end]},0)`);

/** Finds rows of the sample among those that the transaction wrote into the blocks. */
export async function compareInBlocks(
  client: PoolClient,
  target: ReadTarget,
  sample: Sample,
  ranges: readonly BlockRange[],
): Promise<readonly Found[]> {
  const sql = compareSql(target, sample, `(SELECT stored.* FROM ${ownRows(target, storedColumns(target))})`);
  return (await client.query<Found>(sql, [JSON.stringify(sample.rows), tids(ranges, 0), tids(ranges, 1)])).rows;
}

/** Finds rows of the sample by a unique index. */
export async function compareByKey(client: PoolClient, target: ReadTarget, sample: Sample): Promise<readonly Found[]> {
  const own = `(SELECT ${storedColumns(target)} FROM ${quoteTable(target.table)})`;
  return (await client.query<Found>(compareSql(target, sample, own), [JSON.stringify(sample.rows)])).rows;
}

/** Rows that the transaction has written into the blocks. */
export async function countInBlocks(
  client: PoolClient,
  target: ReadTarget,
  ranges: readonly BlockRange[],
): Promise<number> {
  const sql = `SELECT count(*)::float8 AS rows FROM unnest($1::tid[], $2::tid[]) AS range (low, high)
    CROSS JOIN LATERAL (SELECT FROM ONLY ${quoteTable(target.table)}
      WHERE ctid >= range.low AND ctid < range.high AND ${OWN_SQL} OFFSET 0) AS stored`;
  const { rows } = await client.query<{ rows: number }>(sql, [tids(ranges, 0), tids(ranges, 1)]);
  return rows[0]?.rows ?? 0;
}
