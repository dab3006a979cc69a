import { SluiceError } from '../../core/errors.js';
import { quoteIdentifier } from '../column.js';
import { cancellable } from './cancel-query.js';
import { copyPart, quoteTable } from './copy-part.js';
import { asTargetErrors } from './postgres-errors.js';
import { insertSql } from './postgres-insert.js';
import type { PreparedPostgres } from './postgres-plan.js';
import type { Part, SinkTransaction } from './sink.js';

/** The server has to have taken as many rows as the evaluation has put into the part. */
function complete(part: Part, rows: number): number {
  if (part.expectedRows === null || part.expectedRows === rows) return rows;
  throw new SluiceError(
    'RECONCILIATION_FAILED',
    `Part ${part.ordinal} holds ${part.expectedRows} rows, but ${rows} were loaded from it.`,
  );
}

/** Loads one part in the transaction of its chunk. @returns rows of the part, also those that changed nothing */
export function loadPart({ client, signal }: SinkTransaction, prepared: PreparedPostgres, part: Part): Promise<number> {
  const { schema, table, mode, columns, staging, ending } = prepared;
  return asTargetErrors(prepared, async () => {
    const target = { schema, name: staging ?? table };
    if (ending !== 'DIRECT' || mode !== 'UPSERT')
      return complete(part, await copyPart(client, part, target, columns, signal));
    const temporary = { schema: null, name: `sluice_part_${part.ordinal}` };
    const list = columns.map(quoteIdentifier).join(', ');
    // Of the target's exact types, without its constraints.
    await client.query(
      `CREATE TEMPORARY TABLE ${quoteTable(temporary)} ON COMMIT DROP AS SELECT ${list} FROM ${quoteTable(target)} WITH NO DATA`,
    );
    const rows = complete(part, await copyPart(client, part, temporary, columns, signal));
    await cancellable(client, signal, () => client.query(insertSql(prepared, temporary)));
    return rows;
  });
}
