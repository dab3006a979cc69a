import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Escalation } from '../../escalation/escalation.js';
import { judge } from '../../src/jobs/monitors/start-monitors.js';
import { createMonitorStore } from '../../src/store/monitor-store.js';
import { createWorkerStore } from '../../src/store/worker-store.js';
import { anEscalationDesk, type EscalationDesk, TENANT } from '../support/escalation-desk.js';
import { eventually } from '../support/eventually.js';
import { insertJob, insertRun } from '../support/job-history.js';

let desk: EscalationDesk;
beforeAll(async () => {
  desk = await anEscalationDesk();
});
beforeEach(async () => {
  await desk.pool.query(
    `delete from sluice.job; delete from sluice.monitor; delete from sluice.worker; delete from sluice.failure_report;
     delete from sluice.escalation`,
  );
});
afterEach(() => desk.rest());

const HOUR = 3_600_000;
const LASTING_MS = 60_000;

const run = (end: string, more: Parameters<typeof insertRun>[3] = {}) => insertRun(desk.pool, end, 60, more);
const runs = async (count: number, end: string, more: Parameters<typeof run>[1] = {}) => {
  for (let n = 0; n < count; n += 1) await run(end, more);
};
const busy = (slots: number) => createWorkerStore(desk.pool).seen({ id: 'w', slots: 100, busy: slots });
const waiting = (seconds: number) => insertJob(desk.pool, { states: [['QUEUED', seconds]] });
const remove = (where: string) => desk.pool.query(`delete from sluice.job where ${where}`);
/** The jobs of the window are of another one. */
const windowPasses = () =>
  desk.pool.query(
    `update sluice.job set finished_at = finished_at - interval '2 h', created_at = created_at - interval '2 h';
     update sluice.job_event set at = at - interval '2 h'; update sluice.chunk set loaded_at = loaded_at - interval '2 h'`,
  );
const FAILURE = { code: 'INTERNAL', failureClass: 'CRITICAL_FAILURE' };

/** Looks as the monitors do, then again after what was found has lasted. */
async function lookTwice(): Promise<void> {
  const look = () => createMonitorStore(desk.pool).look(HOUR, 0, judge(LASTING_MS));
  await look();
  await desk.pool.query(
    `update sluice.monitor set breached_since = breached_since - interval '1 min', met_since = met_since - interval '1 min'`,
  );
  await look();
  // The monitors do not hurry the escalators: their poll would find it a second later.
  await desk.wake.tell('REPORT', TENANT);
}

const openOf = async (monitor: string): Promise<Escalation | undefined> =>
  (await desk.of(monitor)).find(({ state }) => state.status !== 'RESOLVED');
const areAllTaken = async () =>
  (await desk.pool.query('select from sluice.failure_report where not done')).rowCount === 0;

interface Case {
  readonly monitor: string;
  readonly breach: () => Promise<unknown>;
  /** Short of the breach: nothing comes of it. */
  readonly near: () => Promise<unknown>;
  readonly mend: () => Promise<unknown>;
  /** When it is not a matter of performance. */
  readonly failureClass?: string;
  readonly asked?: readonly string[];
}

const CASES: readonly Case[] = [
  { monitor: 'worker-utilisation', near: () => busy(85), breach: () => busy(86), mend: () => busy(75) },
  { monitor: 'backlog-age', near: () => waiting(120), breach: () => waiting(400), mend: () => remove('true') },
  {
    monitor: 'stalled-work',
    near: () => insertJob(desk.pool, { states: [['RUNNING', 600]] }),
    breach: () => insertJob(desk.pool, { states: [['RUNNING', 1_000]] }),
    mend: () => remove('true'),
  },
  {
    monitor: 'completion-rate',
    near: () => runs(100, 'SUCCEEDED'),
    breach: () => runs(2, 'FAILED', FAILURE),
    mend: () => runs(101, 'SUCCEEDED'),
  },
  {
    monitor: 'failure-rate',
    near: () => runs(99, 'SUCCEEDED'),
    breach: () => run('RETRYING', FAILURE),
    mend: windowPasses,
  },
  {
    monitor: 'retry-success',
    near: () => runs(19, 'SUCCEEDED', { attempt: 2 }),
    breach: () => runs(3, 'DEAD', { ...FAILURE, attempt: 5 }),
    mend: windowPasses,
  },
  {
    monitor: 'transformation-accuracy',
    near: () => run('SUCCEEDED', { rows: 10_000, rechecked: 32 }),
    breach: () => run('SUCCEEDED', { rows: 100, rechecked: 32, differing: 4 }),
    mend: () => run('SUCCEEDED', { rows: 10_000, rechecked: 32 }),
  },
  {
    // Slow is only too slow while somebody waits.
    monitor: 'throughput',
    near: () => insertJob(desk.pool, { states: [['RUNNING', 600]], rows: 9_000 }),
    breach: () => waiting(30),
    mend: () => remove(`state = 'QUEUED'`),
  },
  {
    monitor: 'dead-letters-spike',
    failureClass: 'CRITICAL_FAILURE',
    asked: ['ASK agent-0', 'TELL chief-2'],
    near: async () => {
      await runs(10, 'DEAD', FAILURE);
      await insertRun(desk.pool, 'DEAD', 601, FAILURE);
    },
    breach: () => run('DEAD', FAILURE),
    // As a redrive does, or a discard.
    mend: () => desk.pool.query(`update sluice.job set state = 'CANCELLED' where state = 'DEAD'`),
  },
];

describe('a monitor', () => {
  it.each(CASES)('asks who answers for the service, until $monitor is well again', async (each) => {
    const { monitor, near, breach, mend, failureClass = 'QUEUE_PERFORMANCE', asked = ['ASK domain-3'] } = each;
    await desk.engine();
    await near();
    await lookTwice();
    await eventually(areAllTaken);
    expect(await desk.of(monitor)).toEqual([]);

    await breach();
    await lookTwice();
    await eventually(async () => (await openOf(monitor)) !== undefined);
    const escalation = await openOf(monitor);
    if (!escalation) throw new Error('no escalation');
    expect(escalation).toMatchObject({
      failureClass,
      owner: 'layer-12',
      jobId: null,
      state: { status: 'ASKING' },
    });
    expect(await desk.notified(escalation)).toEqual(asked);
    // A breach that goes on is told once.
    await lookTwice();
    await eventually(areAllTaken);
    expect(await desk.get(escalation.id)).toMatchObject({ occurrences: 1 });

    await mend();
    await lookTwice();
    await desk.becomes(escalation, 'RESOLVED');
    expect((await desk.logOf(escalation)).at(-1)).toMatchObject({ kind: 'RECOVER', actor: 'monitor' });
    expect(await desk.of(monitor)).toHaveLength(1);
  });

  it('asks anew when it is breached again', async () => {
    await desk.engine();
    for (const count of [1, 2]) {
      await busy(100);
      await lookTwice();
      await eventually(async () => (await openOf('worker-utilisation')) !== undefined);
      await busy(0);
      await lookTwice();
      await eventually(async () => (await openOf('worker-utilisation')) === undefined);
      expect(await desk.of('worker-utilisation')).toHaveLength(count);
    }
  });
});
