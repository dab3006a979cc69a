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
  /** About how many blocks are read, more of many. */
  readonly blocks: number;
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

// A loader has better things to do; the difference that is found after longer is not worth the wait.
const TIMEOUT_MS = 30_000;

/**
 * Forbids the planner ways that read more than the few rows or blocks in question, and whatever takes long; the
 * savepoint takes it back.
 */
async function confine(client: PoolClient, ways: readonly string[]): Promise<void> {
  const sql = `SELECT set_config('statement_timeout', $1, true), set_config(way, 'off', true) FROM unnest($2::text[]) AS way`;
  await client.query(sql, [String(TIMEOUT_MS), ['jit', ...ways]]);
}

async function byKey(client: PoolClient, target: ReadTarget, lines: readonly string[]): Promise<Recheck> {
  const sample = keyedSample(
    lines,
    target.key.map((name) => target.names.indexOf(name)),
  );
  await confine(client, ['enable_hashjoin', 'enable_mergejoin', 'enable_seqscan']);
  return judge(target, sample, await compareByKey(client, target, sample));
}

async function byPlace(
  client: PoolClient,
  target: ReadTarget,
  lines: readonly string[],
  { firstBlock, stored, given, blocks }: Written,
): Promise<Recheck> {
  const sample = tellingSample(lines, target.columns);
  if (sample.anchors.length === 0) return NOT_READ_BACK;
  await confine(client, ['enable_nestloop']);
  const { length, end } = await readEnd(client, target.table);
  const some = await compareInBlocks(client, target, sample, spreadBlocks(firstBlock, end, blocks));
  const isPlain = some.length > 0 && some.every(({ differing }) => differing.length === 0) && stored === given;
  if (isPlain) return { ...NOT_READ_BACK, rows: some.length };
  // A row may differ from its line, or be that of another line with the same values: only all rows together can tell.
  const all: readonly BlockRange[] = [[Math.max(0, firstBlock - SLACK_BLOCKS), length]];
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
