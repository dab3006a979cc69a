import type { PreparedPostgres } from './postgres-plan.js';
import { countBlocks } from './recheck/blocks.js';
import { NOT_READ_BACK, recheck } from './recheck/recheck.js';
import { sampleLines } from './recheck/sample-lines.js';
import type { LoadedRows, Part, Recheck, SinkTransaction } from './sink.js';

const MAX_PARTS = 32;
const KEYED_LINES = 256;
// Without a key a row is found when its block is among those that are read: more lines, of which few are met.
const UNKEYED_LINES = 2_048;
const READ_BLOCKS = 256;

/** Some of the parts, spread evenly. */
function spreadParts(parts: readonly Part[]): readonly Part[] {
  const step = Math.max(1, parts.length / MAX_PARTS);
  return Array.from({ length: Math.min(parts.length, MAX_PARTS) }, (_, i) => parts.at(Math.floor(i * step))).filter(
    (part) => part !== undefined,
  );
}

async function linesOf(loaded: LoadedRows, count: number): Promise<readonly string[]> {
  const parts = spreadParts(await loaded.parts());
  const each = Math.ceil(count / Math.max(1, parts.length));
  // One file after the other: a finisher is to hold few of them open.
  const lines: string[] = [];
  for (const part of parts) lines.push(...(await sampleLines(part, each)));
  return lines;
}

/**
 * Runs `insert`, which writes the staged rows into the target, and reads some back: by now every trigger and rule of
 * the target has had its say.
 * @param insert answers how many rows the server says it has written
 */
export async function recheckPublished(
  tx: SinkTransaction,
  { schema, table: name, columns: names, readBack }: PreparedPostgres,
  loaded: LoadedRows,
  insert: () => Promise<number>,
): Promise<Recheck> {
  if (readBack === null) {
    await insert();
    return NOT_READ_BACK;
  }
  const table = { schema, name };
  const target = { ...readBack, table, names };
  if (readBack.key.length > 0) {
    await insert();
    return recheck(tx, target, () => linesOf(loaded, KEYED_LINES), 'BY_KEY');
  }
  const firstBlock = await countBlocks(tx.client, table);
  const stored = await insert();
  if (firstBlock === null) return NOT_READ_BACK;
  const written = { firstBlock, stored, given: loaded.rows, blocks: READ_BLOCKS };
  return recheck(tx, target, () => linesOf(loaded, UNKEYED_LINES), written);
}
