import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { cleanUp } from '../../src/jobs/end-attempt.js';
import { startSweeper } from '../../src/jobs/sweeper.js';
import type { Pool } from '../../src/store/pool.js';
import { emptyDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { aHalfLoadedJob, FOUR_PARTS } from '../support/half-loaded-job.js';
import { handQueue } from '../support/hand-queue.js';
import { partEngine } from '../support/part-engine.js';
import { aRuntime, type Runtime } from '../support/runtime.js';

let runtime: Runtime;
let warehouse: Pool;
beforeAll(async () => {
  const foreign = await emptyDatabase();
  warehouse = foreign.pool;
  runtime = await aRuntime({ connections: { warehouse: foreign.url } });
});
afterEach(() => runtime.pool.query('drop table if exists target; delete from sluice.job; delete from sluice.redrive'));

const engine = partEngine(FOUR_PARTS);
const ids = () => runtime.column('select id::int from target order by id');
const cleanAll = async () => {
  for (const attempt of await runtime.stores.sweep.leftovers(0, 10)) await cleanUp(runtime.context(engine), attempt);
};

async function redrive(...jobIds: readonly string[]) {
  const order = { selection: { ids: jobIds }, ratePerSecond: 10, idempotencyKey: null, inputHash: 'x' };
  return (await runtime.stores.deadLetters.redrive('default', 'anna', order)).redrive;
}
/** Its turn comes, and a worker takes it up that would evaluate it so. */
async function goOn(id: string, parts = FOUR_PARTS.parts as Parameters<typeof partEngine>[0]['parts']): Promise<void> {
  expect((await runtime.stores.sweep.due(10)).map(({ jobId }) => jobId)).toContain(id);
  const { queue } = await runtime.worker(partEngine({ parts }));
  await queue.hint(id);
}

describe('a redriven job', () => {
  it('whose rows are in the target for good goes on with the parts that are left', async () => {
    await runtime.pool.query('create table target (id bigint, name text)');
    const id = await aHalfLoadedJob(runtime, { mode: 'APPEND' });
    expect(await redrive(id)).toMatchObject({ taken: 1 });
    expect(await runtime.job(id)).toMatchObject({ state: 'RETRYING', progress: { rowsLoaded: 2, chunksDone: 2 } });
    // Nothing takes its parts away while it waits for its turn.
    await cleanAll();
    expect(await runtime.stores.sweep.ended([id])).toEqual([]);
    // Evaluated again, it would have other rows.
    await goOn(id, [[[77, 'other']]]);
    expect(await runtime.job(id)).toMatchObject({
      state: 'SUCCEEDED',
      progress: { rowsLoaded: 4, rowsQuarantined: 1 },
    });
    expect(await ids()).toEqual([0, 1, 2, 3]);
    expect(await readdir(runtime.staging)).not.toContain(id);
  });

  it('is refused once its parts are gone, and stays a dead letter', async () => {
    await runtime.pool.query('create table target (id bigint, name text)');
    const id = await aHalfLoadedJob(runtime, { mode: 'APPEND' });
    await runtime.pool.query(`update sluice.job set finished_at = finished_at - interval '8 days' where id = $1`, [id]);
    await cleanAll();
    expect(await redrive(id)).toMatchObject({ taken: 0, refused: [{ jobId: id, reason: 'ROWS_IN_TARGET' }] });
    expect(await runtime.job(id)).toMatchObject({ state: 'DEAD', progress: { rowsLoaded: 2 } });
    expect(await runtime.stores.deadLetters.redrivesOf('default', id, 10)).toEqual([]);
  });

  it.each(['REPLACE', 'UPSERT'])('with %s begins anew, with nothing of before', async (mode) => {
    await runtime.pool.query(`create table target (id bigint primary key, name text)`);
    const id = await aHalfLoadedJob(runtime, { mode });
    expect(await redrive(id)).toMatchObject({ taken: 1 });
    expect(await runtime.job(id)).toMatchObject({ progress: { rowsRead: 0, rowsLoaded: 0, chunksTotal: null } });
    for (const table of ['chunk', 'quarantine', 'expectation_result'])
      expect(await runtime.column(`select count(*)::int from sluice.${table} where job_id = $1`, [id])).toEqual([0]);
    await goOn(id, [[[5, 'new']]]);
    expect(await runtime.job(id)).toMatchObject({ state: 'SUCCEEDED', progress: { rowsRead: 1, rowsLoaded: 1 } });
    expect(await ids()).toEqual(mode === 'UPSERT' ? [0, 1, 5] : [5]);
  });

  it('is refused while what it staged is not removed, and taken after that', async () => {
    await runtime.pool.query('create table target (id bigint primary key, name text)');
    const [left, clean] = [
      await aHalfLoadedJob(runtime, { mode: 'REPLACE' }),
      await aHalfLoadedJob(runtime, { mode: 'REPLACE' }),
    ];
    // As if the worker that ended it had not come to removing anything.
    const prepared = { schema: 'public', table: 'target', staging: 'gone', ending: 'SWAP', mode: 'REPLACE' };
    await runtime.pool.query('update sluice.job set prepared = $2 where id = $1', [left, prepared]);
    await mkdir(join(runtime.staging, left, 'old'), { recursive: true });
    expect(await redrive(left, clean)).toMatchObject({
      taken: 1,
      refused: [{ jobId: left, reason: 'NOT_CLEANED_UP' }],
    });
    await runtime.stores.attempts.dispose(left, async () => undefined);
    expect(await redrive(left)).toMatchObject({ taken: 1 });
    await runtime.stores.sweep.due(10);
    await goOnBoth(left, clean);
    expect(await ids()).toEqual([0, 1, 2, 3]);
  });

  async function goOnBoth(...both: readonly string[]): Promise<void> {
    const { queue } = await runtime.worker(engine);
    for (const id of both) {
      await queue.hint(id);
      expect(await runtime.job(id)).toMatchObject({ state: 'SUCCEEDED' });
    }
  }

  it('waits for whoever removes what it left', async () => {
    await runtime.pool.query('create table target (id bigint primary key, name text)');
    const id = await aHalfLoadedJob(runtime, { mode: 'UPSERT' });
    await runtime.pool.query(`update sluice.job set prepared = '{"x":1}' where id = $1`, [id]);
    let goAhead = () => {};
    const isRemoving = new Promise<void>((begun) => {
      void runtime.stores.attempts.dispose(id, async () => {
        begun();
        await new Promise<void>((resolve) => {
          goAhead = resolve;
        });
      });
    });
    await isRemoving;
    const redriven = redrive(id);
    goAhead();
    expect(await redriven).toMatchObject({ taken: 1 });
  });

  it('that loads into another database goes on there, and is refused without its parts even if nothing was counted', async () => {
    await warehouse.query('drop table if exists target; create table target (id bigint, name text)');
    const sink = { mode: 'APPEND', connection: 'warehouse' };
    const [kept, gone] = [await aHalfLoadedJob(runtime, sink), await aHalfLoadedJob(runtime, sink)];
    await runtime.pool.query('update sluice.job set prepared = null, rows_loaded = 0 where id = $1', [gone]);
    expect(await redrive(kept, gone)).toMatchObject({ taken: 1, refused: [{ jobId: gone, reason: 'ROWS_IN_TARGET' }] });
    await goOn(kept);
    expect(await runtime.job(kept)).toMatchObject({ state: 'SUCCEEDED', progress: { rowsLoaded: 4 } });
  });
});

describe('a sweeper', () => {
  it('gives the turns that it finds, and removes what a discarded job has staged', async () => {
    await runtime.pool.query('create table target (id bigint, name text)');
    const [redriven, discarded] = [
      await aHalfLoadedJob(runtime, { mode: 'APPEND' }),
      await aHalfLoadedJob(runtime, { mode: 'APPEND' }),
    ];
    await redrive(redriven);
    await runtime.stores.deadLetters.discard('default', 'ben', { ids: [discarded] }, 'of no use');
    await runtime.pool.query(`update sluice.job set finished_at = finished_at - interval '1 min' where id = $1`, [
      discarded,
    ]);
    const queue = handQueue();
    const sweeper = startSweeper(runtime.context(engine, queue), runtime.stores.sweep);
    await eventually(() => queue.offers.some(({ jobId }) => jobId === redriven));
    await eventually(async () => !(await readdir(runtime.staging)).includes(discarded));
    await sweeper.stop();
    expect(await runtime.column('select prepared from sluice.job where id = $1', [discarded])).toEqual([null]);
    expect(await readdir(runtime.staging)).toContain(redriven);
  });
});
