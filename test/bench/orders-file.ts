import { once } from 'node:events';
import { createWriteStream, existsSync } from 'node:fs';
import { mkdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { seeded } from '../support/seeded.js';

export interface OrdersFile {
  readonly path: string;
  readonly rows: number;
  readonly badRows: number;
  readonly bytes: number;
}

/** Raise it when the generator changes, so that files of an older one are not taken for its own. */
const EDITION = 1;
const SEED = 20_261_123;
const ROWS_PER_BAD_ROW = 1_000;
const COUNTRIES = ['DE', 'FR', 'PL', 'IT', 'ES', 'NL', 'SE', 'PT', 'AT', 'CZ'] as const;
const STATUSES = ['NEW', 'PAID', 'SHIPPED', 'DELIVERED', 'RETURNED'] as const;
const NOTES = ['', 'gift wrap', 'leave at the door', '"call first, then ring"', 'fragile', 'no rush'] as const;
const FIRST_ORDER_MS = Date.UTC(2026, 0, 1);

/**
 * A CSV file of orders below `folder`, made once and kept: id, created_at, customer_email, country, quantity,
 * unit_price, status, note. One row in a thousand has a quantity that is no number or out of its range.
 *
 * @param bad false leaves those rows out, for loaders that stop at the first one
 * @param rowsPerBadRow when it is not to be one in a thousand
 */
export async function ordersFile(
  folder: string,
  rows: number,
  bad: boolean,
  rowsPerBadRow = ROWS_PER_BAD_ROW,
): Promise<OrdersFile> {
  await mkdir(folder, { recursive: true });
  const each = rowsPerBadRow === ROWS_PER_BAD_ROW ? '' : `-${rowsPerBadRow}`;
  const path = join(folder, `orders-v${EDITION}-${rows}${bad ? each : '-clean'}.csv`);
  if (!existsSync(path)) await write(path, rows, bad, rowsPerBadRow);
  const badRows = Math.floor(rows / rowsPerBadRow);
  return { path, rows: bad ? rows : rows - badRows, badRows: bad ? badRows : 0, bytes: (await stat(path)).size };
}

async function write(path: string, rows: number, bad: boolean, rowsPerBadRow: number): Promise<void> {
  const random = seeded(SEED);
  const aside = `${path}.${process.pid}`;
  const out = createWriteStream(aside);
  out.write('id,created_at,customer_email,country,quantity,unit_price,status,note\n');
  let lines: string[] = [];
  for (let id = 1; id <= rows; id++) {
    const isBad = id % rowsPerBadRow === 0;
    const line = orderLine(id, isBad, random);
    if (bad || !isBad) lines.push(line);
    if (lines.length < 10_000) continue;
    if (!out.write(lines.join(''))) await once(out, 'drain');
    lines = [];
  }
  out.end(lines.join(''));
  await once(out, 'finish');
  await rename(aside, path);
}

function orderLine(id: number, isBad: boolean, random: () => number): string {
  const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)];
  const at = new Date(FIRST_ORDER_MS + id * 14_000).toISOString().slice(0, 19).replace('T', ' ');
  const quantity = 1 + Math.floor(random() * 100);
  const given = isBad ? (random() < 0.5 ? 'many' : String(quantity + 1_000)) : String(quantity);
  const price = (random() * 900 + 0.99).toFixed(2);
  const email = `customer.${Math.floor(random() * 1_000_000)}@example.org`;
  return `${id},${at},${email},${pick(COUNTRIES)},${given},${price},${pick(STATUSES)},${pick(NOTES)}\n`;
}
