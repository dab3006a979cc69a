import type { PoolClient } from 'pg';
import { cancellable } from '../cancel-query.js';
import type { Recheck, SinkTransaction } from '../sink.js';
import { type BlockRange, readEnd, spreadBlocks } from './blocks.js';
import { compareByKey, compareInBlocks, countInBlocks, type Found, type ReadTarget } from './compare.js';
import { keyedSample, type Sample, tellingSample } from './sample.js';

/** Rows that were written without a unique index to find them by. */
export interface Written {
  /** How long the table was before, in blocks. */
  readonly firstBlock: number;
  /** Rows that the server says it has written, and rows that it was given. */
  readonly stored: number;
  readonly given: number;
  /** About how many blocks may be read. */
  readonly budget: number;
}

/** Nothing was read back. */
export const NOT_READ_BACK: Recheck = { rows: 0, differing: 0, columns: [], problem: null };

// Blocks that were there before may have been added by others for all who write, up to 512 at once.
const SLACK_BLOCKS = 512;

/**
 * Reads rows back that the transaction has just written and compares their values with the lines that they were made
 * of. Nothing of it stays in the transaction, and whatever happens, the load goes on: a re-check that fails has read
 * nothing back.
 *
 * @param lines of COPY's text format; a row that is not found by a key differs
 */
export async function recheck(
  { client, signal }: SinkTransaction,
  target: ReadTarget,
  lines: () => Promise<readonly string[]>,
  written: Written | 'BY_KEY',
): Promise<Recheck> {
  await client.query('SAVEPOINT sluice_recheck');
  try {
    const sampled = await lines();
    return await cancellable(client, signal, () =>
      written === 'BY_KEY' ? byKey(client, target, sampled) : byPlace(client, target, sampled, written),
    );
  } catch (error) {
    if (signal.aborted) throw error;
    return { ...NOT_READ_BACK, problem: error instanceof Error ? error.message : String(error) };
  } finally {
    await client.query('ROLLBACK TO SAVEPOINT sluice_recheck; RELEASE SAVEPOINT sluice_recheck');
  }
}

/** Forbids the planner what reads more than the few rows or blocks in question; the savepoint takes it back. */
async function forbid(client: PoolClient, ways: readonly string[]): Promise<void> {
  await client.query(`SELECT set_config(way, 'off', true) FROM unnest($1::text[]) AS way`, [['jit', ...ways]]);
}

async function byKey(client: PoolClient, target: ReadTarget, lines: readonly string[]): Promise<Recheck> {
  const sample = keyedSample(
    lines,
    target.key.map((name) => target.names.indexOf(name)),
  );
  await forbid(client, ['enable_hashjoin', 'enable_mergejoin', 'enable_seqscan']);
  return judge(target, sample, await compareByKey(client, target, sample));
}

async function byPlace(
  client: PoolClient,
  target: ReadTarget,
  lines: readonly string[],
  { firstBlock, stored, given, budget }: Written,
): Promise<Recheck> {
  const sample = tellingSample(lines, target.columns);
  if (sample.anchors.length === 0) return NOT_READ_BACK;
  await forbid(client, ['enable_nestloop']);
  const { end, blocks } = await readEnd(client, target.table);
  const some = await compareInBlocks(client, target, sample, spreadBlocks(firstBlock, end, budget));
  const isPlain = some.length > 0 && some.every(({ differing }) => differing.length === 0) && stored === given;
  if (isPlain) return { ...NOT_READ_BACK, rows: some.length };
  // A row may differ from its line, or be that of another line with the same values: only all rows together can tell.
  const all: readonly BlockRange[] = [[Math.max(0, firstBlock - SLACK_BLOCKS), blocks]];
  const found = await compareInBlocks(client, target, sample, all);
  if ((await countInBlocks(client, target, all)) === stored) return judge(target, sample, found);
  // Some went into free space elsewhere: what is not found may be there.
  return { ...NOT_READ_BACK, rows: found.filter(({ differing }) => differing.length === 0).length };
}

/** The verdict on a sample whose rows were looked for wherever they can be. */
function judge({ names }: ReadTarget, { rows, anchors }: Sample, found: readonly Found[]): Recheck {
  const columns = new Set(found.flatMap(({ differing }) => differing));
  // A row that is not there is not there by its key.
  if (found.length < rows.length) for (const anchor of anchors) columns.add(anchor);
  return {
    ...NOT_READ_BACK,
    rows: rows.length,
    differing: rows.length - found.filter(({ differing }) => differing.length === 0).length,
    columns: names.filter((_, i) => columns.has(i)),
  };
}
