import { readFile } from 'node:fs/promises';
import { isLosslessNumber, parse } from 'lossless-json';
import { usageFailure } from './client-failure.js';

interface FixedRow {
  readonly id: string;
  readonly values: unknown;
}

/**
 * Rows and their values from a file of one JSON object a line, as `sluice quarantine download` writes it: `id` and
 * `values` are taken, the rest is left alone.
 * @throws ClientFailure naming the file and the line of a mistake
 */
export async function readFixedRows(path: string): Promise<readonly FixedRow[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'ENOENT' ? 'there is no such file' : error.message;
    throw usageFailure(`The rows ${path} cannot be read: ${why}.`);
  });
  const rows: FixedRow[] = [];
  for (const [i, line] of text.split('\n').entries())
    if (line.trim() !== '') rows.push(rowOf(line, `${path}, line ${i + 1}`));
  if (rows.length === 0) throw usageFailure(`The rows ${path} are none.`);
  return rows;
}

function rowOf(line: string, place: string): FixedRow {
  let row: unknown;
  try {
    row = parse(line);
  } catch {
    throw usageFailure(`${place}: this is not JSON.`);
  }
  if (typeof row !== 'object' || row === null || !('id' in row) || !('values' in row))
    throw usageFailure(`${place}: a row has an id and values, such as {"id": "7", "values": {"quantity": "5"}}.`);
  const { id, values } = row;
  if (typeof id !== 'string' && !isLosslessNumber(id)) throw usageFailure(`${place}: the id is no text.`);
  if (typeof values !== 'object' || values === null)
    throw usageFailure(`${place}: row ${String(id)} has no values; give those of its columns.`);
  return { id: String(id), values };
}
