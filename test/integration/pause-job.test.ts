import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../src/core/ids.js';
import type { JobSteering } from '../../src/jobs/job-steering.js';
import { eventually } from '../support/eventually.js';
import { gate } from '../support/gate.js';
import type { HandQueue } from '../support/hand-queue.js';
import { partEngine } from '../support/part-engine.js';
import { aPipeline, aRuntime, type Runtime } from '../support/runtime.js';
import { CALLER, steeringOf } from '../support/steering.js';

let runtime: Runtime;
let steering: JobSteering;
let offered: HandQueue;
beforeAll(async () => {
  runtime = await aRuntime();
  ({ steering, queue: offered } = steeringOf(runtime));
});
afterEach(() => runtime.pool.query('drop table if exists target; delete from sluice.job'));

const PARTS = Array.from({ length: 6 }, (_, i) => [[i, `row ${i}`]] as const);
const engine = partEngine({ parts: PARTS });
const ids = () => runtime.column('select id::int from target order by id');
const direct = () => runtime.pool.query('create table target (id bigint, name text)');

/** A job whose third part and all after it wait at a gate, with the worker that has it. */
async function loading() {
  const { wait, open, isReached } = gate();
  const { parsePipeline } = runtime.context(engine);
  let evaluations = 0;
  const counted = partEngine({
    parts: PARTS,
    before: async () => {
      evaluations += 1;
    },
  });
  const worker = await runtime.worker(counted, {
    parsePipeline(spec) {
      const pipeline = parsePipeline(spec);
      const load: typeof pipeline.sink.load = async (tx, prepared, part) => {
        if (part.ordinal > 1) await wait(tx.signal);
        return pipeline.sink.load(tx, prepared, part);
      };
      return { ...pipeline, sink: { ...pipeline.sink, load } };
    },
  });
  const id = await runtime.launch();
  const running = worker.queue.hint(id);
  await isReached;
  await eventually(async () => (await runtime.job(id)).progress.chunksDone === 2);
  return { id, running, worker, open, evaluations: () => evaluations };
}

describe('pausing', () => {
  it('a queued job holds it at once, and resuming queues and offers it again', async () => {
    const { queue } = await runtime.worker(engine);
    const id = await runtime.launch({ priority: 3 });
    expect(await steering.pause(CALLER, id)).toMatchObject({ state: 'PAUSED' });
    await queue.hint(id);
    expect(await runtime.job(id)).toMatchObject({ state: 'PAUSED', attempt: 0 });
    const resumed = await steering.resume(CALLER, id);
    expect(resumed).toMatchObject({ state: 'QUEUED' });
    expect(offered.offers.at(-1)).toEqual({ jobId: id, options: { priority: 3, once: String(resumed.lastSeq) } });
    await queue.hint(id);
    expect(await runtime.job(id)).toMatchObject({ state: 'SUCCEEDED', attempt: 1 });
  });

  it('a job that waits for its next attempt keeps it from that', async () => {
    const id = await runtime.launch();
    await runtime.pool.query(
      `update sluice.job set state = 'RETRYING', due_at = statement_timestamp(), attempt = 1 where id = $1`,
      [id],
    );
    expect(await steering.pause(CALLER, id)).toMatchObject({ state: 'PAUSED', dueAt: null, attempt: 1 });
    expect(await runtime.stores.sweep.due(10)).toEqual([]);
    expect(await steering.resume(CALLER, id)).toMatchObject({ state: 'QUEUED', attempt: 1 });
  });

  it('a job that is being evaluated stops it without using up a try, and nothing of it is left', async () => {
    const { wait, isReached } = gate();
    const { queue } = await runtime.worker(partEngine({ parts: PARTS, before: wait }));
    const id = await runtime.launch();
    const running = queue.hint(id);
    await isReached;
    expect(await steering.pause(CALLER, id)).toMatchObject({ state: 'RUNNING' });
    await running;
    expect(await runtime.job(id)).toMatchObject({ state: 'PAUSED', stage: null, attempt: 0, error: null });
    expect(await readdir(join(runtime.staging, id))).toEqual([]);
    expect(await runtime.stores.jobs.attempts('default', id, 10)).toMatchObject([{ number: 1, outcome: 'PAUSED' }]);
    await steering.resume(CALLER, id);
    const { queue: other } = await runtime.worker(engine);
    await other.hint(id);
    expect(await runtime.job(id)).toMatchObject({ state: 'SUCCEEDED', attempt: 1 });
  });

  it('a job that loads keeps what is loaded, and it goes on with the parts that are left', async () => {
    await direct();
    const { id, running, evaluations } = await loading();
    await steering.pause(CALLER, id);
    await running;
    expect(await runtime.job(id)).toMatchObject({
      state: 'PAUSED',
      attempt: 0,
      progress: { rowsLoaded: 2, chunksDone: 2, chunksTotal: 6 },
    });
    expect(await ids()).toEqual([0, 1]);
    expect(await runtime.stores.sweep.ended([id])).toEqual([]);
    await steering.resume(CALLER, id);
    const { queue } = await runtime.worker(engine);
    await queue.hint(id);
    expect(await runtime.job(id)).toMatchObject({ state: 'SUCCEEDED', attempt: 1, progress: { rowsLoaded: 6 } });
    expect(evaluations()).toBe(1);
    expect(await ids()).toEqual([0, 1, 2, 3, 4, 5]);
    const attempts = await runtime.stores.jobs.attempts('default', id, 10);
    expect(attempts.map(({ number, outcome }) => [number, outcome])).toEqual([
      [1, 'PAUSED'],
      [1, 'SUCCEEDED'],
    ]);
  });

  it('a job stops all who load it', async () => {
    await direct();
    const { id, running } = await loading();
    const { wait, isReached } = gate();
    const { parsePipeline } = runtime.context(engine);
    const helper = await runtime.worker(engine, {
      parsePipeline(spec) {
        const pipeline = parsePipeline(spec);
        const load: typeof pipeline.sink.load = async ({ signal }) => {
          await wait(signal);
          return { rows: 0, recheck: null };
        };
        return { ...pipeline, sink: { ...pipeline.sink, load } };
      },
    });
    const helping = helper.queue.hint(id);
    await isReached;
    await steering.pause(CALLER, id);
    await Promise.all([running, helping]);
    expect(await runtime.job(id)).toMatchObject({ state: 'PAUSED', progress: { chunksDone: 2 } });
    const held = `select count(*)::int from sluice.chunk where job_id = $1 and lease_token is not null`;
    expect(await runtime.column(held, [id])).toEqual([0]);
  });

  it('is remembered when the attempt fails first: it is paused, and not tried again', async () => {
    const { wait, open, isReached } = gate();
    const before = async (signal: AbortSignal) => {
      await wait(signal);
      throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
    };
    const { queue } = await runtime.worker(partEngine({ parts: PARTS, before }));
    const id = await runtime.launch();
    const running = queue.hint(id);
    await isReached;
    await runtime.stores.jobs.requestPause('default', id);
    open();
    await running;
    expect(await runtime.job(id)).toMatchObject({
      state: 'PAUSED',
      attempt: 1,
      dueAt: null,
      error: { code: 'UNAVAILABLE' },
    });
    expect(await runtime.stores.jobs.attempts('default', id, 10)).toMatchObject([{ outcome: 'FAILED' }]);
    expect(await steering.resume(CALLER, id)).toMatchObject({ state: 'QUEUED', error: null });
  });

  it('is remembered when the process stops first', async () => {
    const { wait, isReached } = gate();
    const { queue, runner } = await runtime.worker(partEngine({ parts: PARTS, before: wait }));
    const id = await runtime.launch();
    const running = queue.hint(id);
    await isReached;
    await runtime.stores.jobs.requestPause('default', id);
    await runner.stop();
    await running;
    expect(await runtime.job(id)).toMatchObject({ state: 'PAUSED', attempt: 0 });
  });

  it('can be taken back while the job has not yet stopped', async () => {
    const { wait, open, isReached } = gate();
    const { queue } = await runtime.worker(partEngine({ parts: PARTS, before: wait }));
    const id = await runtime.launch();
    const running = queue.hint(id);
    await isReached;
    await runtime.stores.jobs.requestPause('default', id);
    expect(await steering.resume(CALLER, id)).toMatchObject({ state: 'RUNNING' });
    open();
    await running;
    expect(await runtime.job(id)).toMatchObject({ state: 'SUCCEEDED' });
  });

  it('a job whose worker is gone is up to its row', async () => {
    const id = await runtime.launch();
    const { attempts, sweep, jobs } = runtime.stores;
    await attempts.claim(id, newId(), 'killed', 6_000);
    await jobs.requestPause('default', id);
    expect(await sweep.stopAbandoned(10)).toEqual([]);
    await runtime.pool.query('update sluice.job set lease_until = statement_timestamp() where id = $1', [id]);
    expect(await sweep.takeOver(3, 60_000, 10)).toEqual([]);
    expect(await sweep.stopAbandoned(10)).toEqual([id]);
    expect(await runtime.job(id)).toMatchObject({ state: 'PAUSED', attempt: 0 });
    expect(await jobs.attempts('default', id, 10)).toMatchObject([{ outcome: 'PAUSED' }]);
    await steering.resume(CALLER, id);
    await attempts.claim(id, newId(), 'killed', 0);
    // And no sweeper has to come by for one that nobody holds.
    expect(await steering.pause(CALLER, id)).toMatchObject({ state: 'PAUSED', attempt: 0 });
  });

  it('does not count for the timeout of the job', async () => {
    const id = await runtime.launch({ timeoutMs: 3_600_000 });
    const { attempts } = runtime.stores;
    const first = await attempts.claim(id, newId(), 'test', 6_000);
    if (!first) throw new Error('not claimed');
    await attempts.end(first, { transition: 'RELEASE', message: 'stopped' });
    await steering.pause(CALLER, id);
    await runtime.pool.query(
      `update sluice.job set updated_at = updated_at - interval '2 h', deadline_at = deadline_at - interval '2 h'
       where id = $1`,
      [id],
    );
    await steering.resume(CALLER, id);
    const again = await attempts.claim(id, newId(), 'test', 6_000);
    expect(again?.timeLeftMs).toBeGreaterThan(3_590_000);
    expect(again?.timeLeftMs).toBeLessThanOrEqual(3_600_000);
  });

  it('twice is once, and a job that has ended, awaits a decision or is being cancelled is refused', async () => {
    const id = await runtime.launch();
    const once = await steering.pause(CALLER, id);
    expect(await steering.pause(CALLER, id)).toEqual(once);
    const resumed = await steering.resume(CALLER, id);
    expect(await steering.resume(CALLER, id)).toEqual(resumed);
    for (const state of ['SUCCEEDED', 'FAILED', 'CANCELLED', 'DEAD', 'AWAITING_DECISION']) {
      await runtime.pool.query('update sluice.job set state = $2 where id = $1', [id, state]);
      await expect(steering.pause(CALLER, id)).rejects.toMatchObject({ code: 'STATE_NOT_ALLOWED' });
      await expect(steering.resume(CALLER, id)).rejects.toMatchObject({ code: 'STATE_NOT_ALLOWED' });
    }
    const running = await runtime.launch();
    await runtime.stores.attempts.claim(running, newId(), 'test', 6_000);
    await steering.cancel(CALLER, running, false);
    await expect(steering.pause(CALLER, running)).rejects.toMatchObject({ code: 'STATE_NOT_ALLOWED' });
    for (const call of [steering.pause, steering.resume, steering.retry]) {
      for (const stranger of [newId(), 'no id'])
        await expect(call(CALLER, stranger)).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
      await expect(call({ tenant: 'other', name: 'x' }, id)).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
    }
  });

  it('a job that publishes stops it, and the target is as it was until it goes on', async () => {
    await runtime.pool.query(`create table target (id bigint, name text); insert into target values (9, 'old')`);
    const blocker = await runtime.pool.connect();
    const { queue } = await runtime.worker(engine);
    const id = await runtime.launch({ spec: aPipeline({ table: 'target', mode: 'REPLACE' }).json });
    try {
      await blocker.query('begin; lock table target in access share mode');
      const running = queue.hint(id);
      await eventually(async () => (await runtime.job(id)).stage === 'FINISHING');
      await steering.pause(CALLER, id);
      await running;
    } finally {
      await blocker.query('rollback');
      blocker.release();
    }
    expect(await runtime.job(id)).toMatchObject({ state: 'PAUSED', progress: { chunksDone: 6 } });
    expect(await ids()).toEqual([9]);
    await steering.resume(CALLER, id);
    await queue.hint(id);
    expect(await runtime.job(id)).toMatchObject({ state: 'SUCCEEDED' });
    expect(await ids()).toEqual([0, 1, 2, 3, 4, 5]);
  });
});
