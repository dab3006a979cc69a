import type { QuarantineFilter } from '../../jobs/quarantine/ports.js';
import { type Pool, withTransaction } from '../pool.js';
import { MATCHES, valuesOf } from './matching.js';
import { type NamedRow, requireNamed } from './named-rows.js';
import { takeTurn } from './turn.js';

/** @see QuarantineChanges.discard */
export function discard(
  pool: Pool,
  tenant: string,
  filter: QuarantineFilter,
  by: string,
  reason: string,
): Promise<number> {
  return withTransaction(pool, async (client) => {
    await takeTurn(client, filter.jobId);
    if (filter.ids !== undefined) await requireNamed(client, tenant, filter, ['ids'], undiscardable);
    const { rowCount } = await client.query(
      `update sluice.quarantine as bad set status = 'DISCARDED', revision = bad.revision + 1,
         history = coalesce(bad.history, '[]') || jsonb_build_object('at', statement_timestamp(), 'by', $6::text,
           'status', 'DISCARDED', 'before', bad.fixed, 'reason', $7::text)
       where ${MATCHES} and bad.status in ('OPEN', 'FIXED')`,
      [...valuesOf(tenant, filter), by, reason],
    );
    return rowCount ?? 0;
  });
}

function undiscardable({ id, status }: NamedRow): string | undefined {
  if (status === 'REPLAYING') return `Row ${id} is being replayed; wait for the end of the replay, or cancel it.`;
  return status === 'REPLAYED' ? `Row ${id} is replayed already.` : undefined;
}
