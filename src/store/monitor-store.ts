import type { FailureReport } from '../../escalation/failure-report.js';
import { ERROR_CODES } from '../core/errors.js';
import { newId } from '../core/ids.js';
import type { MonitorMemory } from '../jobs/monitors/follow-breach.js';
import type { Finding, MonitorReport, MonitorStore } from '../jobs/monitors/ports.js';
import { ABANDONED_MS, SPIKE_WINDOW_MS, STALLED_MS } from '../jobs/monitors/rules.js';
import type { Snapshot } from '../jobs/monitors/snapshot.js';
import { successMetricsOf } from '../jobs/monitors/success-metrics.js';
import { BEACON_MS } from '../jobs/monitors/worker-beacon.js';
import { IS_QUEUE_PAUSED } from './claimable.js';
import { type Pool, type Queryable, withTransaction } from './pool.js';
import { readSuccessCounts } from './success-metrics-store.js';

/** Who answers for the service itself. */
const OWNER = 'layer-12';
const TENANT = 'default';
/** A process that was killed leaves its row; it counts no more after three beats, and is removed by a look after this. */
const FORGET_WORKER_MS = 3_600_000;

interface MomentRow {
  readonly queued: bigint;
  readonly oldest_queued_ms: number | null;
  readonly stalled: bigint;
  readonly stalled_job_id: string | null;
  readonly longest_stalled_ms: number | null;
  readonly slots: bigint;
  readonly busy: bigint;
  readonly dead: bigint;
  readonly died_lately: bigint;
}

const SINCE_UPDATE_MS = 'extract(epoch from statement_timestamp() - job.updated_at) * 1000';

/** @param db in a transaction, whose plans are those for the success metrics afterwards */
export async function readSnapshot(db: Queryable, windowMs: number): Promise<Snapshot> {
  const { rows } = await db.query<MomentRow>(
    `with stalled as (
       select job.id, (${SINCE_UPDATE_MS})::float8 as ms from sluice.job as job
       where job.state = 'RUNNING' and (job.updated_at < statement_timestamp() - $1 * interval '1 ms'
         or job.updated_at < statement_timestamp() - $2 * interval '1 ms'
           and job.lease_until < statement_timestamp() - $2 * interval '1 ms')
     )
     select queue.*, stopped.*, worker.*, letters.* from
       (select count(*) as queued, max(${SINCE_UPDATE_MS})::float8 as oldest_queued_ms from sluice.job as job
        where job.state = 'QUEUED' and not ${IS_QUEUE_PAUSED}) as queue,
       (select count(*) as stalled, (select id from stalled order by ms desc limit 1) as stalled_job_id,
          max(ms) as longest_stalled_ms from stalled) as stopped,
       (select coalesce(sum(slots), 0) as slots, coalesce(sum(busy), 0) as busy from sluice.worker
        where seen_at > statement_timestamp() - $3 * interval '1 ms') as worker,
       (select count(*) as dead, count(*) filter (where finished_at > statement_timestamp() - $4 * interval '1 ms') as died_lately
        from sluice.job where state = 'DEAD') as letters`,
    [STALLED_MS, ABANDONED_MS, 3 * BEACON_MS, SPIKE_WINDOW_MS],
  );
  const [moment] = rows;
  if (!moment) throw new Error('an aggregate always answers one row');
  return {
    queued: Number(moment.queued),
    oldestQueuedMs: moment.oldest_queued_ms,
    stalled: Number(moment.stalled),
    stalledJobId: moment.stalled_job_id,
    longestStalledMs: moment.longest_stalled_ms,
    slots: Number(moment.slots),
    busySlots: Number(moment.busy),
    deadLetters: Number(moment.dead),
    diedLately: Number(moment.died_lately),
    metrics: successMetricsOf(await readSuccessCounts(db, null, windowMs), windowMs),
  };
}

interface MemoryRow {
  readonly name: string;
  readonly breached_since: Date;
  readonly met_since: Date | null;
  readonly reported: boolean;
}

async function readMemory(db: Queryable): Promise<ReadonlyMap<string, MonitorMemory>> {
  const { rows } = await db.query<MemoryRow>('select name, breached_since, met_since, reported from sluice.monitor');
  return new Map(
    rows.map((row) => [
      row.name,
      { breachedSince: row.breached_since, metSince: row.met_since, reported: row.reported },
    ]),
  );
}

async function remember(db: Queryable, { monitor, memory }: Finding): Promise<void> {
  if (memory === null) {
    await db.query('delete from sluice.monitor where name = $1', [monitor]);
    return;
  }
  await db.query(
    `insert into sluice.monitor as monitor (name, breached_since, met_since, reported) values ($1, $2, $3, $4)
     on conflict (name) do update set breached_since = excluded.breached_since, met_since = excluded.met_since,
       reported = excluded.reported`,
    [monitor, memory.breachedSince, memory.metSince, memory.reported],
  );
}

async function report(db: Queryable, { kind, monitor, code, message, details }: MonitorReport): Promise<void> {
  const row: Omit<FailureReport, 'at' | 'jobId' | 'target' | 'settings'> = {
    id: newId(),
    tenant: TENANT,
    kind,
    source: 'MONITOR',
    pipeline: monitor,
    owner: OWNER,
    code,
    failureClass: ERROR_CODES[code].failureClass,
    message,
    details,
  };
  await db.query(
    `insert into sluice.failure_report (id, tenant, kind, source, pipeline, owner, code, failure_class, message, details)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      row.id,
      row.tenant,
      row.kind,
      row.source,
      row.pipeline,
      row.owner,
      row.code,
      row.failureClass,
      row.message,
      JSON.stringify(row.details),
    ],
  );
}

export function createMonitorStore(pool: Pool): MonitorStore {
  return {
    look: (windowMs, restMs, judge) =>
      withTransaction(pool, async (client) => {
        const { rows } = await client.query<{ at: Date }>(
          `update sluice.monitor_round set looked_at = statement_timestamp() where one in (
             select one from sluice.monitor_round
             where looked_at is null or looked_at <= statement_timestamp() - $1 * interval '1 ms'
             for update skip locked)
           returning looked_at as at`,
          [restMs],
        );
        const [round] = rows;
        if (!round) return null;
        await client.query(`delete from sluice.worker where seen_at < statement_timestamp() - $1 * interval '1 ms'`, [
          FORGET_WORKER_MS,
        ]);
        const memory = await readMemory(client);
        const findings = judge({ snapshot: await readSnapshot(client, windowMs), memory, at: round.at });
        for (const finding of findings) {
          if (finding.memory !== null || memory.has(finding.monitor)) await remember(client, finding);
          if (finding.report) await report(client, finding.report);
        }
        return findings;
      }),
  };
}
