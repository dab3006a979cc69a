import type { QuarantineStore } from '../jobs/stores.js';
import type { Pool } from './pool.js';
import { groupQuarantine, listQuarantine, readQuarantine } from './quarantine/list.js';

/** The columns of a QUARANTINE part, in order; the defaults of the table add tenant, job and chunk. */
const PART_COLUMNS = ['row_number', 'file', 'reasons', 'raw'] as const;

export function createQuarantineStore(pool: Pool): QuarantineStore {
  return {
    async beginCopy(client, { tenant, jobId, part }) {
      await client.query(
        `select set_config('sluice.tenant', $1, true), set_config('sluice.job_id', $2, true),
           set_config('sluice.chunk', $3, true)`,
        [tenant, jobId, String(part.ordinal)],
      );
      return { table: { schema: 'sluice', name: 'quarantine' }, columns: PART_COLUMNS };
    },

    list: (tenant, filter, page) => listQuarantine(pool, tenant, filter, page),
    groups: (tenant, filter, first) => groupQuarantine(pool, tenant, filter, first),
    read: (tenant, filter, afterId, limit) => readQuarantine(pool, tenant, filter, afterId, limit),
  };
}
