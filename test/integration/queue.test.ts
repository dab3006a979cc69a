import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.js';
import { newId } from '../../src/core/ids.js';
import { createLog } from '../../src/core/log.js';
import { judge } from '../../src/jobs/monitors/start-monitors.js';
import { startQueueService } from '../../src/jobs/queue/create-queue-service.js';
import type { QueueStats } from '../../src/jobs/queue/queue-stats.js';
import { createMonitorStore } from '../../src/store/monitor-store.js';
import { createQueueStore } from '../../src/store/queue-store.js';
import { eventually } from '../support/eventually.js';
import { gate } from '../support/gate.js';
import { handQueue } from '../support/hand-queue.js';
import { partEngine } from '../support/part-engine.js';
import { aRuntime, type Runtime } from '../support/runtime.js';
import { CALLER } from '../support/steering.js';

type Queues = Awaited<ReturnType<typeof startQueueService>>;

let runtime: Runtime;
let services: Queues[] = [];
beforeAll(async () => {
  runtime = await aRuntime();
});
beforeEach(() => {
  services = [];
});
afterEach(async () => {
  await Promise.all(services.map((service) => service.stop()));
  await runtime.pool.query(
    'drop table if exists target; delete from sluice.job; delete from sluice.queue_pause; delete from sluice.worker',
  );
});

/** The queue service of a gateway of its own. */
async function aGateway() {
  const queue = handQueue();
  const { bus, pool } = runtime;
  const queues = await startQueueService({
    store: createQueueStore(pool),
    queue,
    bus,
    clock: systemClock,
    log: createLog('silent'),
  });
  services.push(queues);
  return { queues: queues.service, queue };
}

const engine = partEngine({ parts: [[[1, 'one']]] });

describe('a paused queue', () => {
  it('lets nothing begin, on any worker, until any gateway resumes it', async () => {
    const [here, there] = [await aGateway(), await aGateway()];
    const [one, two] = [await runtime.worker(engine), await runtime.worker(engine)];
    expect(await here.queues.pause(CALLER, '  the warehouse moves ')).toMatchObject({
      pause: { by: 'test', reason: 'the warehouse moves', since: expect.any(Date) },
    });
    // Launching still works.
    const id = await runtime.launch({ priority: 4 });
    for (const worker of [one, two]) await worker.queue.hint(id);
    expect(await runtime.job(id)).toMatchObject({ state: 'QUEUED', attempt: 0 });
    // The sweeper does not fill the queue with hints that lead nowhere.
    await runtime.pool.query(`update sluice.job set updated_at = updated_at - interval '1 h'`);
    expect(await runtime.stores.sweep.queued(5_000, 10)).toEqual([]);
    expect(await there.queues.stats(CALLER)).toMatchObject({ counts: { QUEUED: 1 }, pause: { by: 'test' } });
    expect(await there.queues.resume(CALLER, null)).toMatchObject({ pause: null });
    expect(there.queue.offers).toMatchObject([{ jobId: id, options: { priority: 4 } }]);
    await two.queue.hint(id);
    expect(await runtime.job(id)).toMatchObject({ state: 'SUCCEEDED' });
  });

  it('lets what runs go on to its end, with every worker that helps', async () => {
    const { queues } = await aGateway();
    const { wait, open, isReached } = gate();
    const parts = Array.from({ length: 4 }, (_, i) => [[i, 'x']] as const);
    const { queue } = await runtime.worker(partEngine({ parts, before: wait }));
    const helper = await runtime.worker(engine);
    const id = await runtime.launch();
    const running = queue.hint(id);
    await isReached;
    await queues.pause(CALLER, null);
    open();
    await Promise.all([running, helper.queue.hint(id)]);
    expect(await runtime.job(id)).toMatchObject({ state: 'SUCCEEDED' });
  });

  it('is that of its tenant alone', async () => {
    const { queues } = await aGateway();
    await queues.pause({ tenant: 'other', name: 'x' }, null);
    const { queue } = await runtime.worker(engine);
    const id = await runtime.launch();
    await queue.hint(id);
    expect(await runtime.job(id)).toMatchObject({ state: 'SUCCEEDED' });
    expect(await queues.stats(CALLER)).toMatchObject({ pause: null, counts: { SUCCEEDED: 1 } });
    expect(await queues.stats({ tenant: 'other', name: 'x' })).toMatchObject({
      pause: { by: 'x', reason: null },
      counts: { SUCCEEDED: 0 },
    });
    await queues.resume({ tenant: 'other', name: 'x' }, null);
  });

  it('stays as it was paused first, and resuming twice offers once', async () => {
    const { queues, queue } = await aGateway();
    await runtime.launch();
    await queues.pause(CALLER, 'first');
    expect(await queues.pause({ tenant: 'default', name: 'another' }, 'second')).toMatchObject({
      pause: { by: 'test', reason: 'first' },
    });
    await queues.resume(CALLER, null);
    await queues.resume(CALLER, null);
    expect(queue.offers).toHaveLength(1);
  });

  it('offers nothing whose target is paused', async () => {
    const { queues, queue } = await aGateway();
    await runtime.launch();
    await runtime.pool.query(
      `insert into sluice.target_pause (tenant, target, escalation_id) values ('default', 'default.public.target', $1)`,
      [newId()],
    );
    await queues.pause(CALLER, null);
    await queues.resume(CALLER, null);
    expect(queue.offers).toEqual([]);
    await runtime.pool.query('delete from sluice.target_pause');
  });

  it('is no backlog that somebody has to be asked about', async () => {
    const { queues } = await aGateway();
    await runtime.launch();
    await runtime.pool.query(`update sluice.job set updated_at = updated_at - interval '1 h'`);
    const look = async () =>
      (await createMonitorStore(runtime.pool).look(3_600_000, 0, judge(60_000)))
        ?.filter(({ memory }) => memory)
        .map(({ monitor }) => monitor);
    expect(await look()).toContain('backlog-age');
    await queues.pause(CALLER, null);
    expect(await look()).not.toContain('backlog-age');
  });

  it('takes no reason that cannot be kept', async () => {
    const { queues } = await aGateway();
    const code = 'INVALID_INPUT';
    await expect(queues.pause(CALLER, 'x'.repeat(501))).rejects.toMatchObject({ code, path: ['reason'] });
    await expect(queues.pause(CALLER, 'a\0b')).rejects.toMatchObject({ errors: [{ code, path: ['reason'] }] });
    expect(await queues.stats(CALLER)).toMatchObject({ pause: null });
  });
});

describe('the figures of a queue', () => {
  it('count every state, the ended ones of the last hour', async () => {
    const { queues } = await aGateway();
    const states = ['QUEUED', 'QUEUED', 'RUNNING', 'RETRYING', 'PAUSED', 'AWAITING_DECISION', 'DEAD', 'FAILED'];
    for (const state of [...states, 'SUCCEEDED', 'CANCELLED', 'CANCELLED']) {
      const id = await runtime.launch();
      await runtime.pool.query(
        `update sluice.job set state = $2, finished_at = case when $2 in ('SUCCEEDED', 'FAILED', 'CANCELLED', 'DEAD')
           then statement_timestamp() end where id = $1`,
        [id, state],
      );
    }
    const old = await runtime.launch();
    await runtime.pool.query(
      `update sluice.job set state = 'SUCCEEDED', finished_at = statement_timestamp() - interval '61 min' where id = $1`,
      [old],
    );
    const waiting = await runtime.launch();
    await runtime.pool.query(`update sluice.job set updated_at = '2026-01-02 03:04:05Z' where id = $1`, [waiting]);
    const stats = await queues.stats(CALLER);
    expect(stats.counts).toEqual({
      QUEUED: 3,
      RUNNING: 1,
      RETRYING: 1,
      PAUSED: 1,
      AWAITING_DECISION: 1,
      SUCCEEDED: 1,
      FAILED: 1,
      CANCELLED: 2,
      DEAD: 1,
    });
    expect(stats.oldestQueuedAt).toEqual(new Date('2026-01-02T03:04:05Z'));
  });

  it('know the workers that were seen lately', async () => {
    const { queues } = await aGateway();
    await runtime.pool.query(
      `insert into sluice.worker (id, slots, busy, seen_at) values ('b', 2, 1, statement_timestamp()),
         ('a', 4, 4, statement_timestamp() - interval '10 s'), ('gone', 2, 2, statement_timestamp() - interval '1 min')`,
    );
    const { workers } = await queues.stats(CALLER);
    expect(workers).toMatchObject([
      { id: 'a', slots: 4, busy: 4 },
      { id: 'b', slots: 2, busy: 1 },
    ]);
    expect(workers[0]?.seenAt).toBeInstanceOf(Date);
  });
});

describe('the feed of a queue', () => {
  /** Everything that a reader is told, until the test leaves. */
  function reading(queues: Queues['service']) {
    const told: QueueStats[] = [];
    const leaving = new AbortController();
    const read = async () => {
      for await (const stats of queues.watch(CALLER, leaving.signal)) told.push(stats);
    };
    const ended = read();
    return {
      told,
      async leave() {
        leaving.abort();
        await ended;
      },
    };
  }

  it('tells how it stands, then what changes on any gateway, and ends when its reader leaves', async () => {
    const [here, there] = [await aGateway(), await aGateway()];
    const [first, second] = [reading(here.queues), reading(here.queues)];
    await eventually(() => first.told.length === 1 && second.told.length === 1);
    expect(first.told[0]).toMatchObject({ pause: null, counts: { QUEUED: 0 } });
    await there.queues.pause(CALLER, 'elsewhere');
    await eventually(() => first.told.at(-1)?.pause?.reason === 'elsewhere');
    await runtime.launch();
    await eventually(() => first.told.at(-1)?.counts.QUEUED === 1);
    await eventually(() => second.told.at(-1)?.counts.QUEUED === 1);
    await Promise.all([first.leave(), second.leave()]);
  });

  it('tells nothing twice', async () => {
    const { queues } = await aGateway();
    const reader = reading(queues);
    await eventually(() => reader.told.length === 1);
    for (let i = 0; i < 3; i++) {
      await queues.pause(CALLER, null);
      await queues.resume(CALLER, null);
    }
    await queues.pause(CALLER, 'last');
    await eventually(() => reader.told.at(-1)?.pause?.reason === 'last');
    const states = reader.told.map(({ pause }) => pause?.reason ?? pause?.by ?? 'runs');
    for (const [i, state] of states.entries()) expect(state).not.toBe(states[i - 1]);
    await reader.leave();
  });
});
