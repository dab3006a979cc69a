import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.js';
import { newId } from '../../src/core/ids.js';
import { createLog } from '../../src/core/log.js';
import { judge, startMonitors } from '../../src/jobs/monitors/start-monitors.js';
import { startWorkerBeacon } from '../../src/jobs/monitors/worker-beacon.js';
import { createMonitorStore } from '../../src/store/monitor-store.js';
import type { Pool } from '../../src/store/pool.js';
import { createWorkerStore } from '../../src/store/worker-store.js';
import { freshDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { ManualClock } from '../support/manual-clock.js';

const log = createLog('silent');
const HOUR = 3_600_000;
const LASTING_MS = 60_000;

let pool: Pool;
beforeAll(async () => {
  ({ pool } = await freshDatabase());
});
beforeEach(async () => {
  await pool.query(
    `delete from sluice.job; delete from sluice.monitor; delete from sluice.failure_report; delete from sluice.worker;
     update sluice.monitor_round set looked_at = null`,
  );
});

async function aJob(state: string, ago: string, leaseAgo: string | null = null): Promise<string> {
  const id = newId();
  await pool.query(
    `insert into sluice.job (id, kind, name, owner, state, spec, spec_hash, created_at, updated_at, lease_until)
     values ($1, 'ETL', 'test', 'layer-12', $2, '{}', '', statement_timestamp() - $3::interval,
       statement_timestamp() - $3::interval, statement_timestamp() - $4::interval)`,
    [id, state, ago, leaseAgo],
  );
  return id;
}

/** A look of any process, with no rest between looks. */
const look = () => createMonitorStore(pool).look(HOUR, 0, judge(LASTING_MS));
const breached = async () => (await look())?.filter(({ memory }) => memory).map(({ monitor }) => monitor);
/** As if all that is remembered had been so for longer than it has to last. */
const timePasses = () =>
  pool.query(
    `update sluice.monitor set breached_since = breached_since - interval '1 min', met_since = met_since - interval '1 min'`,
  );
const reports = async () =>
  (
    await pool.query<Record<string, unknown>>(
      `select kind, source, pipeline, owner, code, failure_class, job_id, done, message from sluice.failure_report order by at, id`,
    )
  ).rows;

describe('the monitors', () => {
  it('find nothing in an empty database', async () => {
    expect(await breached()).toEqual([]);
    expect(await look()).toHaveLength(9);
  });

  it('see jobs that wait for long, stand still, or are held by nobody, and no others', async () => {
    await aJob('QUEUED', '4 min');
    await aJob('RUNNING', '14 min', '-5 s');
    await aJob('RUNNING', '30 s', '20 s');
    await aJob('AWAITING_DECISION', '3 h');
    // Nothing was loaded in all the time that a job waited.
    expect(await breached()).toEqual(['throughput']);
    await aJob('QUEUED', '6 min');
    expect(await breached()).toEqual(['backlog-age', 'throughput']);
    await pool.query('delete from sluice.job');
    for (const [ago, leaseAgo] of [
      ['16 min', '-5 s'],
      ['2 min', '90 s'],
    ] as const) {
      const id = await aJob('RUNNING', ago, leaseAgo);
      expect(await breached()).toEqual(['stalled-work']);
      const { rows } = await pool.query('delete from sluice.job where id = $1 returning id', [id]);
      expect(rows).toHaveLength(1);
    }
  });

  it('count the slots of the workers that were seen lately', async () => {
    const workers = createWorkerStore(pool);
    await workers.seen({ id: 'one', slots: 10, busy: 10 });
    await workers.seen({ id: 'two', slots: 10, busy: 7 });
    expect(await breached()).toEqual([]);
    await workers.seen({ id: 'two', slots: 10, busy: 8 });
    expect(await breached()).toEqual(['worker-utilisation']);
    await workers.seen({ id: 'three', slots: 10, busy: 0 });
    expect(await breached()).toEqual([]);
    await pool.query(`update sluice.worker set seen_at = seen_at - interval '16 s' where id = 'three'`);
    expect(await breached()).toEqual(['worker-utilisation']);
    await pool.query(`update sluice.worker set seen_at = seen_at - interval '2 h'`);
    await look();
    expect((await pool.query('select from sluice.worker')).rowCount).toBe(0);
  });

  it('report a breach once when it has lasted, and its end once when that has', async () => {
    const id = await aJob('RUNNING', '20 min');
    await look();
    await look();
    expect(await reports()).toEqual([]);
    await timePasses();
    await look();
    await timePasses();
    await look();
    const failed = {
      kind: 'FAILED',
      source: 'MONITOR',
      pipeline: 'stalled-work',
      owner: 'layer-12',
      code: 'OBJECTIVE_MISSED',
      failure_class: 'QUEUE_PERFORMANCE',
      job_id: null,
      done: false,
    };
    expect(await reports()).toMatchObject([failed]);
    await pool.query('delete from sluice.job where id = $1', [id]);
    await look();
    expect(await reports()).toHaveLength(1);
    await timePasses();
    await look();
    await look();
    expect(await reports()).toMatchObject([
      failed,
      { ...failed, kind: 'RECOVERED', message: 'Every running job moves.' },
    ]);
    expect((await pool.query('select from sluice.monitor')).rowCount).toBe(0);
  });

  it('look one process at a time, so that many report a breach once', async () => {
    await aJob('RUNNING', '20 min');
    await look();
    await timePasses();
    const looks = await Promise.all(Array.from({ length: 8 }, look));
    expect(looks.some((findings) => findings !== null)).toBe(true);
    expect(await reports()).toHaveLength(1);
  });

  it('rest after a look, whoever had it', async () => {
    const store = createMonitorStore(pool);
    expect(await store.look(HOUR, HOUR, judge(LASTING_MS))).not.toBeNull();
    expect(await store.look(HOUR, HOUR, judge(LASTING_MS))).toBeNull();
    await pool.query(`update sluice.monitor_round set looked_at = looked_at - interval '1 h'`);
    expect(await store.look(HOUR, HOUR, judge(LASTING_MS))).not.toBeNull();
  });

  it('lose nothing when the process ends between the breach and its report', async () => {
    await aJob('RUNNING', '20 min');
    await look();
    await timePasses();
    const before = await pool.query('select * from sluice.monitor');
    // Found and to be written, when the row of the next monitor cannot be: nothing of the look may stay.
    const broken = createMonitorStore(pool).look(HOUR, 0, (sight) => {
      const findings = judge(LASTING_MS)(sight);
      if (!findings.some(({ report }) => report)) throw new Error('the breach is not found');
      const memory = { breachedSince: new Date(0), metSince: null, reported: false };
      return [...findings, { monitor: 'no\0name', memory, report: null }];
    });
    await expect(broken).rejects.toThrow(/invalid byte sequence/);
    expect(await reports()).toEqual([]);
    expect((await pool.query('select * from sluice.monitor')).rows).toEqual(before.rows);
    await look();
    expect(await reports()).toHaveLength(1);
  });

  it('run in two processes at once until they are stopped', async () => {
    await aJob('RUNNING', '20 min');
    const both = [1, 2].map(() =>
      startMonitors({ store: createMonitorStore(pool), clock: systemClock, log, everyMs: 10, lastingMs: 0 }),
    );
    await eventually(async () => (await reports()).length > 0);
    await pool.query('delete from sluice.job');
    await eventually(async () => (await reports()).length > 1);
    await Promise.all(both.map((monitors) => monitors.stop()));
    expect((await reports()).map(({ kind }) => kind)).toEqual(['FAILED', 'RECOVERED']);
  });
});

describe('the beacon of a worker', () => {
  const seen = async () => (await pool.query('select id, slots, busy from sluice.worker')).rows;

  it('tells how busy the process is until it stops', async () => {
    const clock = new ManualClock();
    let busy = 1;
    const store = createWorkerStore(pool);
    const beacon = startWorkerBeacon({ store, worker: 'w', slots: 2, busy: () => busy, clock, log });
    await eventually(async () => (await seen()).length === 1);
    expect(await seen()).toEqual([{ id: 'w', slots: 2, busy: 1 }]);
    // More than there are slots, while one is being let go of.
    busy = 3;
    await eventually(async () => {
      await clock.pass(5_000);
      return (await seen())[0]?.busy === 2;
    });
    await beacon.stop();
    expect(await seen()).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  it('outlives a database that does not answer', async () => {
    const clock = new ManualClock();
    const store = {
      seen: async () => Promise.reject(new Error('away')),
      gone: async () => Promise.reject(new Error('away')),
    };
    const beacon = startWorkerBeacon({ store, worker: 'w', slots: 1, busy: () => 0, clock, log });
    await clock.pass(15_000);
    await expect(beacon.stop()).resolves.toBeUndefined();
  });
});
