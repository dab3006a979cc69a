import type { QuarantinedRow } from '../job.js';
import type { QuarantineFilter } from './ports.js';
import type { QuarantineStore } from './stores.js';

/** A page is small when its records are large: it is in memory as a whole. */
const MOST_ROWS = 500;
const FIRST_ROWS = 50;
const PAGE_CHARACTERS = 4_000_000;

/** Every row of the filter as a line of JSON, a page at a time; the next one is read when somebody asks for it. */
export async function* quarantineLines(
  store: Pick<QuarantineStore, 'read'>,
  tenant: string,
  filter: QuarantineFilter,
): AsyncGenerator<string> {
  let after = '0';
  let limit = FIRST_ROWS;
  for (;;) {
    const rows = await store.read(tenant, filter, after, limit);
    if (rows.length > 0) yield rows.map(lineOf).join('');
    if (rows.length < limit) return;
    after = rows.at(-1)?.id ?? after;
    const characters = rows.reduce((sum, row) => sum + row.raw.length + (row.fixedValues?.length ?? 0), 1);
    limit = Math.max(1, Math.min(MOST_ROWS, Math.floor((PAGE_CHARACTERS * rows.length) / characters)));
  }
}

function lineOf(row: QuarantinedRow & { readonly isSplit: boolean }): string {
  const { id, rowNumber, file, reasons, status, raw, history, replayJobId, originId, createdAt } = row;
  const told = { id, rowNumber, file, status, reasons, history, replayJobId, originId, createdAt };
  // Records go in as they are written: a number that JavaScript read would not keep its digits.
  const values = row.isSplit ? asMember(raw) : 'null';
  const fixed = row.fixedValues === null ? 'null' : asMember(row.fixedValues);
  return `${JSON.stringify(told).slice(0, -1)},"raw":${JSON.stringify(raw)},"values":${values},"fixedValues":${fixed}}\n`;
}

/** JSON text on one line; null for what readers of JSON other than DuckDB refuse. */
function asMember(json: string): string {
  try {
    JSON.parse(json);
  } catch {
    return 'null';
  }
  return json.replace(/[\r\n]+/g, ' ').trim();
}
