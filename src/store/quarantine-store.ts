import { isId } from '../core/ids.js';
import type { QuarantineStore } from '../jobs/quarantine/stores.js';
import type { Pool } from './pool.js';
import { copyOut } from './quarantine/copy-out.js';
import { groupQuarantine, listQuarantine, readQuarantine } from './quarantine/list.js';
import { RECORD } from './quarantine/matching.js';
import { jobNotFound } from './read-job.js';

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

    async tieToOrigins(client, { tenant, jobId, part }) {
      // Rows that a `sql` step made are no rows that were replayed.
      await client.query(
        `update sluice.quarantine as bad set origin_id = origin.id, row_number = origin.row_number, file = origin.file
         from sluice.quarantine as origin
         where bad.tenant = $1 and bad.job_id = $2 and bad.chunk = $3 and bad.file is not null
           and origin.id = bad.row_number and origin.replay_job_id = bad.job_id`,
        [tenant, jobId, part.ordinal],
      );
    },

    async layReplayed({ id, tenant }, path) {
      if (!isId(id)) throw jobNotFound(id);
      const client = await pool.connect();
      try {
        const isOfTenant = `bad.tenant = ${client.escapeLiteral(tenant)}`;
        return await copyOut(
          client,
          `select bad.id, bad.revision, ${RECORD} from sluice.quarantine as bad
           where bad.replay_job_id = '${id}' and bad.status = 'REPLAYING' and ${isOfTenant} order by bad.id`,
          path,
        );
      } finally {
        client.release();
      }
    },

    list: (tenant, filter, page) => listQuarantine(pool, tenant, filter, page),
    groups: (tenant, filter, first) => groupQuarantine(pool, tenant, filter, first),
    read: (tenant, filter, afterId, limit) => readQuarantine(pool, tenant, filter, afterId, limit),
  };
}
