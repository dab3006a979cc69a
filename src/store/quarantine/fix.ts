import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { from as copyFrom } from 'pg-copy-streams';
import { SluiceError } from '../../core/errors.js';
import type { QuarantineFilter } from '../../jobs/quarantine/ports.js';
import { type Pool, withTransaction } from '../pool.js';
import { copyOut } from './copy-out.js';
import { MATCHES, RECORD, valuesOf } from './matching.js';
import { type NamedRow, requireNamed } from './named-rows.js';
import { takeTurn } from './turn.js';

/** A SELECT with parameters is no SELECT that COPY takes; a temporary table is. */
const PICKED = `create temporary table picked_rows (id bigint, revision integer, record text) on commit drop`;

/** @see QuarantineChanges.layRows */
export function layRows(
  pool: Pool,
  tenant: string,
  filter: QuarantineFilter,
  path: string,
  most: number,
): Promise<void> {
  return withTransaction(pool, async (client) => {
    if (filter.ids !== undefined) await requireNamed(client, tenant, filter, ['rows', 'id'], unfixable);
    await client.query(PICKED);
    const hasValues = filter.ids === undefined ? `and ${RECORD} is not null` : '';
    const { rowCount } = await client.query(
      `insert into picked_rows select bad.id, bad.revision, ${RECORD} from sluice.quarantine as bad
       where ${MATCHES} and bad.status in ('OPEN', 'FIXED') ${hasValues} limit $6`,
      [...valuesOf(tenant, filter), most + 1],
    );
    if ((rowCount ?? 0) > most) {
      const message = `More than ${most} rows fit the filter; narrow it.`;
      throw new SluiceError('INVALID_INPUT', message, { path: ['filter'] });
    }
    await copyOut(client, 'select id, revision, record from picked_rows order by id', path);
  });
}

/** @see QuarantineChanges.storeFixed */
export function storeFixed(pool: Pool, tenant: string, jobId: string, by: string, path: string): Promise<number> {
  return withTransaction(pool, async (client) => {
    await client.query(PICKED);
    await pipeline(createReadStream(path), client.query(copyFrom('copy picked_rows from stdin (format csv)')));
    await takeTurn(client, jobId);
    const { rowCount } = await client.query(
      `update sluice.quarantine as bad set status = 'FIXED', fixed = picked.record, revision = bad.revision + 1,
         history = coalesce(bad.history, '[]') || jsonb_build_object('at', statement_timestamp(), 'by', $3::text,
           'status', 'FIXED', 'before', bad.fixed, 'reason', null)
       from picked_rows as picked
       where bad.id = picked.id and bad.revision = picked.revision and bad.tenant = $1 and bad.job_id = $2
         and bad.status in ('OPEN', 'FIXED')`,
      [tenant, jobId, by],
    );
    return rowCount ?? 0;
  });
}

function unfixable({ id, status, is_of_file: isOfFile }: NamedRow): string | undefined {
  if (status !== 'OPEN' && status !== 'FIXED') return `Row ${id} is ${status}; only OPEN and FIXED rows can be fixed.`;
  if (isOfFile) return undefined;
  return `Row ${id} was made by a \`sql\` step and is no record of the source; fix the records that it was made of.`;
}
