import { quoteIdentifier } from '../column.js';
import { cancellable } from './cancel-query.js';
import { quoteTable } from './copy-part.js';
import { asTargetErrors } from './postgres-errors.js';
import type { PostgresOptions } from './postgres-options.js';
import type { SinkTransaction } from './sink.js';

/** Removes the rows that a load has written. @returns how many */
export function removeLoad(
  { client, signal }: SinkTransaction,
  options: PostgresOptions,
  loadId: string,
): Promise<number> {
  const { schema, table, loadIdColumn } = options;
  if (loadIdColumn === undefined) return Promise.resolve(0);
  const sql = `DELETE FROM ${quoteTable({ schema, name: table })} WHERE ${quoteIdentifier(loadIdColumn)} = $1`;
  return asTargetErrors(options, async () => {
    const { rowCount } = await cancellable(client, signal, () => client.query(sql, [loadId]));
    return rowCount ?? 0;
  });
}
