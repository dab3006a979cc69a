import { isId } from '../core/ids.js';
import type { QuarantineChanges } from '../jobs/quarantine/stores.js';
import type { SourceColumn } from '../jobs/stores.js';
import type { Announcer } from './job-change.js';
import type { Pool } from './pool.js';
import { discard } from './quarantine/discard.js';
import { layRows, storeFixed } from './quarantine/fix.js';
import { countReplayed, replayLaunch } from './quarantine/launch-replay.js';

/** What people do to rows in quarantine. */
export function createQuarantineChanges(pool: Pool, announcer: Announcer): QuarantineChanges {
  return {
    async sourceColumns(tenant, jobId) {
      if (!isId(jobId)) return null;
      // Written from the columns of an evaluation alone.
      const { rows } = await pool.query<{ source_columns: readonly SourceColumn[] | null }>(
        'select source_columns from sluice.job where tenant = $1 and id = $2',
        [tenant, jobId],
      );
      return rows[0]?.source_columns ?? null;
    },
    layRows: (tenant, filter, path, most) => layRows(pool, tenant, filter, path, most),
    storeFixed: (tenant, jobId, by, path) => storeFixed(pool, tenant, jobId, by, path),
    discard: (tenant, filter, by, reason) => discard(pool, tenant, filter, by, reason),
    launchReplay: replayLaunch(pool, announcer),
    countReplayed: (jobId) => countReplayed(pool, jobId),
  };
}
