import { quoteIdentifier } from '../column.js';
import { quoteTable, type TableName } from './copy-part.js';
import type { PreparedPostgres } from './postgres-plan.js';

const list = (names: readonly string[]) => names.map(quoteIdentifier).join(', ');

/** `INSERT INTO target SELECT ... FROM source`, for UPSERT with its ON CONFLICT clause. */
export function insertSql(
  { schema, table, mode, columns, key, loadIdColumn }: PreparedPostgres,
  source: TableName,
): string {
  const target = quoteTable({ schema, name: table });
  const insert = `INSERT INTO ${target} AS t (${list(columns)}) SELECT ${list(columns)} FROM ${quoteTable(source)}`;
  if (mode !== 'UPSERT') return insert;
  const changed = columns.filter((name) => !key.includes(name));
  // In the order of the key, so that loads that meet in the same rows wait for each other instead of deadlocking.
  const upsert = `${insert} ORDER BY ${list(key)} ON CONFLICT (${list(key)})`;
  // A row that differs in nothing but the load stays that of the load which wrote it.
  const compared = changed.filter((name) => name !== loadIdColumn);
  if (compared.length === 0) return `${upsert} DO NOTHING`;
  const set = changed.map((name) => `${quoteIdentifier(name)} = excluded.${quoteIdentifier(name)}`).join(', ');
  const row = (alias: string) => `ROW(${compared.map((name) => `${alias}.${quoteIdentifier(name)}`).join(', ')})`;
  // record_image_ne compares stored images, so that it works for types without equality (json) and sees what `=` does not (1.0
  // and 1.00, letters that a collation holds for equal); a row that is the same already is not written again.
  return `${upsert} DO UPDATE SET ${set} WHERE pg_catalog.record_image_ne(${row('t')}, ${row('excluded')})`;
}
