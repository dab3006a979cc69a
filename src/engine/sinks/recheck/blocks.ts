import type { PoolClient } from 'pg';
import { quoteTable, type TableName } from '../copy-part.js';
import { PLACES } from './sample-lines.js';

/** Blocks of a table, the last not included. */
export type BlockRange = readonly [from: number, to: number];

/** A COPY first fills what is left of a block before, and blocks that another one has added ahead of its need. */
const HEAD_START = 8;
/** At both ends more is read: there the first and the last rows of a part are for certain. */
const END_BLOCKS = 16;
/** How many of very many blocks are read. */
const READ_SHARE = 1 / 64;
/** So many blocks a server adds to a table ahead of its need (64 from version 16 on), or another loader meanwhile. */
const TAIL_BLOCKS = 64;

/** What the transaction itself has written, as a condition: a savepoint's rows are not its own. */
export const OWN_SQL = 'xmin = pg_current_xact_id()::xid';

const BLOCKS_SQL = `(pg_relation_size($1::regclass) / current_setting('block_size')::integer)::float8`;

/** How long the table is, in blocks; null where they cannot be read by number: in other than heaps, and before version 14. */
export async function countBlocks(client: PoolClient, table: TableName): Promise<number | null> {
  const sql = `SELECT ${BLOCKS_SQL} AS blocks FROM pg_class c JOIN pg_am a ON a.oid = c.relam AND a.amname = 'heap'
                WHERE c.oid = $1::regclass AND current_setting('server_version_num')::integer >= 140000`;
  return (await client.query<{ blocks: number }>(sql, [quoteTable(table)])).rows[0]?.blocks ?? null;
}

/** How long the table is, and where the rows of this transaction end in it, in blocks. */
export async function readEnd(
  client: PoolClient,
  table: TableName,
): Promise<{ readonly length: number; readonly end: number }> {
  const sql = `WITH size AS MATERIALIZED (SELECT ${BLOCKS_SQL} AS blocks)
    SELECT blocks, (
      SELECT (max(ctid)::text::point)[0] + 1 FROM ONLY ${quoteTable(table)}
       WHERE ctid >= (SELECT format('(%s,0)', greatest(0, blocks - ${TAIL_BLOCKS}))::tid FROM size) AND ${OWN_SQL}
    ) AS "end" FROM size`;
  const { rows } = await client.query<{ blocks: number; end: number | null }>(sql, [quoteTable(table)]);
  const length = rows[0]?.blocks ?? 0;
  return { length, end: rows[0]?.end ?? length };
}

/**
 * Some of the blocks from `from` to `to`, which is not included, at the places where the sampled lines of a part are if
 * nobody else writes.
 * @param count about how many blocks, more of many
 */
export function spreadBlocks(from: number, to: number, count: number): readonly BlockRange[] {
  const first = Math.max(0, from - HEAD_START);
  const budget = Math.max(count, Math.ceil((to - first) * READ_SHARE));
  if (to - first <= budget) return [[first, to]];
  const [low, high] = [from + END_BLOCKS, to - END_BLOCKS];
  const width = Math.max(1, Math.floor((budget - 2 * END_BLOCKS) / (PLACES - 2)));
  const middle = Array.from({ length: PLACES - 2 }, (_, i): BlockRange => {
    const at = Math.floor(from + ((i + 1) * (to - from)) / (PLACES - 1) - width / 2);
    return [Math.max(low, at), Math.min(high, at + width)];
  });
  return [[first, low], ...middle, [high, to]];
}
