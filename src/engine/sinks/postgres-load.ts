import type { PoolClient } from 'pg';
import { quoteIdentifier } from '../column.js';
import { cancellable } from './cancel-query.js';
import { complete } from './complete-part.js';
import { copyPart, quoteTable, type TableName } from './copy-part.js';
import { asTargetErrors } from './postgres-errors.js';
import { insertSql } from './postgres-insert.js';
import { isUnlogged, type PreparedPostgres } from './postgres-plan.js';
import { countBlocks } from './recheck/blocks.js';
import { NOT_READ_BACK, recheck } from './recheck/recheck.js';
import { sampleLines } from './recheck/sample-lines.js';
import type { LoadedPart, Part, SinkTransaction } from './sink.js';

/** Rows of a part that are read back, about, and blocks in which they are looked for. */
const SAMPLED_LINES = 32;
const READ_BLOCKS = 128;

/** Loads one part in the transaction of its chunk. */
export function loadPart(tx: SinkTransaction, prepared: PreparedPostgres, part: Part): Promise<LoadedPart> {
  const { schema, table, mode, staging, ending } = prepared;
  return asTargetErrors(prepared, () => {
    const target = { schema, name: staging ?? table };
    if (ending === 'DIRECT' && mode === 'UPSERT') return upsertPart(tx, prepared, part, target);
    return appendPart(tx, prepared, part, target);
  });
}

async function appendPart(
  tx: SinkTransaction,
  prepared: PreparedPostgres,
  part: Part,
  table: TableName,
): Promise<LoadedPart> {
  const { client, signal } = tx;
  const { columns: names, readBack, ending } = prepared;
  const copy = async () => complete(part, await copyPart(client, part, table, names, signal));
  // Rows that are copied once more are looked at where they arrive.
  if (isUnlogged(ending)) return { rows: await copy(), recheck: null };
  if (readBack === null) return { rows: await copy(), recheck: NOT_READ_BACK };
  const firstBlock = await countBlocks(client, table);
  const rows = await copy();
  if (firstBlock === null) return { rows, recheck: NOT_READ_BACK };
  const written = { firstBlock, stored: rows, given: rows, blocks: READ_BLOCKS };
  const lines = () => sampleLines({ ...part, expectedRows: rows }, SAMPLED_LINES);
  return { rows, recheck: await recheck(tx, { ...readBack, table, names }, lines, written) };
}

async function upsertPart(
  tx: SinkTransaction,
  prepared: PreparedPostgres,
  part: Part,
  table: TableName,
): Promise<LoadedPart> {
  const { client, signal } = tx;
  const { columns: names, readBack } = prepared;
  const temporary = { schema: null, name: `sluice_part_${part.ordinal}` };
  await createLike(client, temporary, table, names);
  const rows = complete(part, await copyPart(client, part, temporary, names, signal));
  await cancellable(client, signal, () => client.query(insertSql(prepared, temporary)));
  if (readBack === null) return { rows, recheck: NOT_READ_BACK };
  const lines = () => sampleLines({ ...part, expectedRows: rows }, SAMPLED_LINES);
  return { rows, recheck: await recheck(tx, { ...readBack, table, names }, lines, 'BY_KEY') };
}

/** A temporary table with columns of the target's exact types, without its constraints. */
async function createLike(
  client: PoolClient,
  temporary: TableName,
  target: TableName,
  names: readonly string[],
): Promise<void> {
  const list = names.map(quoteIdentifier).join(', ');
  await client.query(
    `CREATE TEMPORARY TABLE ${quoteTable(temporary)} ON COMMIT DROP AS SELECT ${list} FROM ${quoteTable(target)} WITH NO DATA`,
  );
}
