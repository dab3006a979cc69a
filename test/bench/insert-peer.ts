import { createReadStream } from 'node:fs';
import { parse } from 'csv-parse';
import { Client } from 'pg';
import { inPublic } from './orders-table.js';

const BATCH = 1_000;
const COLUMNS = 9;
const STATUSES = new Set(['NEW', 'PAID', 'SHIPPED', 'DELIVERED', 'RETURNED']);
const EMAIL = /^[^@\s]+@[^@\s]+\.[^@\s]+$/;

interface OrderRecord {
  readonly id: string;
  readonly created_at: string;
  readonly customer_email: string;
  readonly country: string;
  readonly quantity: string;
  readonly unit_price: string;
  readonly status: string;
  readonly note: string;
}

/**
 * The job as most Node programs do it: csv-parse into objects, checks in JavaScript, INSERT of 1,000 rows at a time.
 * @returns rows loaded and rows refused
 */
export async function insertPeer(
  databaseUrl: string,
  table: string,
  path: string,
): Promise<{ loaded: number; refused: number }> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const records: AsyncIterable<OrderRecord> = createReadStream(path).pipe(parse({ columns: true }));
    let values: unknown[] = [];
    let loaded = 0;
    let refused = 0;
    const flush = async () => {
      if (values.length === 0) return;
      await client.query(insertText(table, values.length / COLUMNS), values);
      loaded += values.length / COLUMNS;
      values = [];
    };
    await client.query('begin');
    for await (const record of records) {
      const row = checkedRow(record);
      if (row === undefined) refused += 1;
      else values.push(...row);
      if (values.length === BATCH * COLUMNS) await flush();
    }
    await flush();
    await client.query('commit');
    return { loaded, refused };
  } finally {
    await client.end();
  }
}

/** The row in the order of the table, or undefined when it breaks one of the job's expectations. */
function checkedRow(record: OrderRecord): unknown[] | undefined {
  const quantity = Number(record.quantity);
  const price = Number(record.unit_price);
  const createdAt = new Date(`${record.created_at.replace(' ', 'T')}Z`);
  if (!Number.isInteger(quantity) || quantity < 1 || quantity > 100) return undefined;
  if (!Number.isFinite(price) || Number.isNaN(createdAt.getTime())) return undefined;
  if (!EMAIL.test(record.customer_email) || record.country.length !== 2 || !STATUSES.has(record.status))
    return undefined;
  const { id, created_at, customer_email, country, unit_price, status, note } = record;
  const total = (quantity * price).toFixed(2);
  return [id, created_at, customer_email.trim().toLowerCase(), country, quantity, unit_price, status, note, total];
}

const texts = new Map<number, string>();

function insertText(table: string, rows: number): string {
  const known = texts.get(rows);
  if (known !== undefined) return known;
  const tuple = (row: number) =>
    `(${Array.from({ length: COLUMNS }, (_, i) => `$${row * COLUMNS + i + 1}`).join(',')})`;
  const text = `insert into ${inPublic(table)} values ${Array.from({ length: rows }, (_, row) => tuple(row)).join(',')}`;
  texts.set(rows, text);
  return text;
}
