import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../src/core/ids.js';
import { HEARTBEAT_MS, LEASE_MS } from '../../src/jobs/heartbeat.js';
import type { SweepStore } from '../../src/jobs/stores.js';
import { startSweeper } from '../../src/jobs/sweeper.js';
import { eventually } from '../support/eventually.js';
import { type HandQueue, handQueue } from '../support/hand-queue.js';
import { ManualClock } from '../support/manual-clock.js';
import { partEngine } from '../support/part-engine.js';
import { aRuntime, type Runtime } from '../support/runtime.js';

let runtime: Runtime;
beforeAll(async () => {
  runtime = await aRuntime();
});
afterEach(() => runtime.pool.query('delete from sluice.job'));

/** Jobs that have waited for a minute, every tenth of them urgent. */
async function queuedJobs(count: number): Promise<void> {
  const id = await runtime.launch();
  await runtime.pool.query(
    `insert into sluice.job (id, kind, name, owner, state, spec, spec_hash, last_seq, priority)
     select gen_random_uuid(), kind, name, owner, state, spec, spec_hash, last_seq, case when n % 10 = 0 then 5 else 0 end
     from sluice.job, generate_series(2, $2) as n where id = $1`,
    [id, count],
  );
  await runtime.pool.query(`update sluice.job set updated_at = statement_timestamp() - interval '1 min'`);
}

function aSweeper(queue: HandQueue, sweep: SweepStore = runtime.stores.sweep, clock = new ManualClock()) {
  const context = { ...runtime.context(partEngine({ parts: [] }), queue), clock };
  return startSweeper(context, sweep);
}

/** One round, from its beginning to its end. */
async function sweepOnce(queue: HandQueue): Promise<void> {
  await aSweeper(queue).stop();
}

describe('the sweeper', () => {
  it('gives a queue that has lost its content everything again, the most urgent first', async () => {
    await queuedJobs(2_000);
    const queue = handQueue();
    await sweepOnce(queue);
    expect(queue.offers).toHaveLength(2_000);
    expect(new Set(queue.offers.map(({ jobId }) => jobId)).size).toBe(2_000);
    const priorities = queue.offers.map(({ options }) => options.priority ?? 0);
    expect(priorities).toEqual([...priorities].sort((a, b) => b - a));
    expect(priorities[0]).toBe(5);
  });

  it('offers a queue that holds as much as it should only what is taken next', async () => {
    await queuedJobs(2_000);
    const queue = { ...handQueue(), waiting: async () => 2_000 };
    await sweepOnce(queue);
    expect(queue.offers).toHaveLength(500);
    expect(queue.offers.filter(({ options }) => options.priority === 5)).toHaveLength(200);
  });

  it('does all the rest while the queue is away', async () => {
    const id = await runtime.launch();
    await runtime.stores.attempts.claim(id, newId(), 'killed', LEASE_MS);
    await runtime.pool.query(`update sluice.job set lease_until = statement_timestamp() - interval '1 s'`);
    await sweepOnce({ ...handQueue(), offerAll: () => Promise.reject(new Error('no Redis')) });
    expect(await runtime.job(id)).toMatchObject({ state: 'QUEUED' });
  });

  it('lets workers renew their leases after the database was away, and takes over what stays without', async () => {
    let isAway = true;
    const { sweep } = runtime.stores;
    const flaky: SweepStore = {
      ...sweep,
      due: async (limit) => (isAway ? Promise.reject(new Error('no database')) : sweep.due(limit)),
    };
    const clock = new ManualClock();
    const sweeper = aSweeper(handQueue(), flaky, clock);
    const id = await runtime.launch();
    await runtime.stores.attempts.claim(id, newId(), 'alive', LEASE_MS);
    await runtime.pool.query(`update sluice.job set lease_until = statement_timestamp() - interval '1 s'`);
    await clock.pass(1);
    isAway = false;
    const rounds: string[] = [];
    const lookAgain = async () => {
      await clock.pass(2_000);
      sweeper.wake();
      rounds.push((await runtime.job(id)).state);
    };
    await lookAgain();
    expect(rounds).toEqual(['RUNNING']);
    await eventually(async () => {
      await lookAgain();
      return rounds.at(-1) === 'QUEUED';
    });
    expect(clock.monotonicMs()).toBeGreaterThanOrEqual(2 * HEARTBEAT_MS);
    await sweeper.stop();
  });
});
