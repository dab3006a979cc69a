import { JOB_STATES, type JobState } from '../jobs/job.js';
import { BEACON_MS } from '../jobs/monitors/worker-beacon.js';
import type { QueueStore } from '../jobs/queue/ports.js';
import { ENDED_WITHIN_MS, type QueueStats, type QueueWorker } from '../jobs/queue/queue-stats.js';
import { IS_CLAIMABLE } from './claimable.js';
import type { Pool } from './pool.js';
import { type StragglerRow, stragglerOf } from './straggler.js';

interface StatsRow {
  readonly at: Date;
  readonly counts: Readonly<Partial<Record<JobState, number>>>;
  readonly oldest_queued_at: Date | null;
  readonly paused_at: Date | null;
  readonly paused_by: string | null;
  readonly reason: string | null;
  readonly workers: readonly (Omit<QueueWorker, 'seenAt'> & { readonly seenAt: string })[];
}

/** One statement, so that everything is of the same moment; each count reads an index of its own. */
const STATS = `
  select statement_timestamp() as at, pause.paused_at, pause.paused_by, pause.reason,
    (select coalesce(jsonb_object_agg(state, jobs), '{}') from (
       select state, count(*) as jobs from sluice.job
       where tenant = $1 and state in ('QUEUED', 'RUNNING', 'RETRYING', 'PAUSED', 'AWAITING_DECISION', 'DEAD') group by state
       union all
       select state, count(*) from sluice.job
       where tenant = $1 and state = 'SUCCEEDED' and finished_at > statement_timestamp() - $2 * interval '1 ms' group by state
       union all
       select state, count(*) from sluice.job
       where tenant = $1 and state in ('FAILED', 'CANCELLED')
         and finished_at > statement_timestamp() - $2 * interval '1 ms' group by state
     ) as counted) as counts,
    (select min(updated_at) from sluice.job where tenant = $1 and state = 'QUEUED') as oldest_queued_at,
    (select coalesce(jsonb_agg(jsonb_build_object('id', id, 'slots', slots, 'busy', busy, 'seenAt', seen_at) order by id), '[]')
     from sluice.worker where seen_at > statement_timestamp() - $3 * interval '1 ms') as workers
  from (select) as one left join sluice.queue_pause as pause on pause.tenant = $1`;

function statsOf(row: StatsRow): QueueStats {
  const { paused_at: since, paused_by: by, reason } = row;
  const counts = Object.fromEntries(JOB_STATES.map((state) => [state, row.counts[state] ?? 0]));
  return {
    at: row.at,
    // One entry for each of JOB_STATES, by construction.
    counts: counts as Record<JobState, number>,
    oldestQueuedAt: row.oldest_queued_at,
    pause: since === null || by === null ? null : { since, by, reason },
    workers: row.workers.map((worker) => ({ ...worker, seenAt: new Date(worker.seenAt) })),
  };
}

const MOST_OFFERED = 500;

/** The state of a tenant's queue: a row that says that it is paused, and what the jobs and workers are. */
export function createQueueStore(pool: Pool): QueueStore {
  return {
    async stats(tenant) {
      const { rows } = await pool.query<StatsRow>(STATS, [tenant, ENDED_WITHIN_MS, 3 * BEACON_MS]);
      if (!rows[0]) throw new Error('one row stands on the left side of the join');
      return statsOf(rows[0]);
    },

    async pause(tenant, by, reason) {
      await pool.query(
        `insert into sluice.queue_pause (tenant, paused_by, reason) values ($1, $2, $3) on conflict do nothing`,
        [tenant, by, reason],
      );
    },

    async resume(tenant) {
      const { rowCount } = await pool.query('delete from sluice.queue_pause where tenant = $1', [tenant]);
      if (rowCount === 0) return [];
      const { rows } = await pool.query<StragglerRow>(
        `select job.id, job.priority, job.last_seq from sluice.job as job
         where job.tenant = $1 and job.state = 'QUEUED' and ${IS_CLAIMABLE}
         order by job.priority desc, job.created_at limit ${MOST_OFFERED}`,
        [tenant],
      );
      return rows.map(stragglerOf);
    },
  };
}
