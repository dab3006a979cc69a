import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SluiceError } from '../../src/core/errors.js';
import { newId } from '../../src/core/ids.js';
import { cleanUp } from '../../src/jobs/end-attempt.js';
import type { JobSteering } from '../../src/jobs/job-steering.js';
import type { Pool } from '../../src/store/pool.js';
import { emptyDatabase } from '../support/database.js';
import { aHalfLoadedJob, FOUR_PARTS } from '../support/half-loaded-job.js';
import type { HandQueue } from '../support/hand-queue.js';
import { reportsOf } from '../support/held-job.js';
import { partEngine } from '../support/part-engine.js';
import { aRuntime, type Runtime } from '../support/runtime.js';
import { CALLER, steeringOf } from '../support/steering.js';

let runtime: Runtime;
let warehouse: Pool;
let steering: JobSteering;
let offered: HandQueue;
beforeAll(async () => {
  const foreign = await emptyDatabase();
  warehouse = foreign.pool;
  runtime = await aRuntime({ connections: { warehouse: foreign.url } });
  ({ steering, queue: offered } = steeringOf(runtime));
});
afterEach(() => runtime.pool.query('drop table if exists target; delete from sluice.job'));

const { parts: PARTS } = FOUR_PARTS;
const engine = partEngine(FOUR_PARTS);
const ids = () => runtime.column('select id::int from target order by id');
const staged = () =>
  runtime.column(
    `select count(*)::int from pg_class where relname like '%sluice%' and relnamespace = 'public'::regnamespace`,
  );

const halfWay = (sink: object, code?: 'UNAVAILABLE' | 'TARGET_NOT_FOUND') => aHalfLoadedJob(runtime, sink, code);

async function goOn(id: string, changes: Parameters<typeof partEngine>[0] = FOUR_PARTS) {
  const { queue } = await runtime.worker(partEngine(changes));
  await queue.hint(id);
}

describe('retrying', () => {
  it('a job that failed before anything was loaded begins anew, with a new set of attempts', async () => {
    const failing = partEngine({
      parts: PARTS,
      before: () => Promise.reject(new SluiceError('FILE_NOT_FOUND', 'No.')),
    });
    const { queue } = await runtime.worker(failing);
    const id = await runtime.launch({ priority: 2 });
    await queue.hint(id);
    expect(await runtime.job(id)).toMatchObject({ state: 'FAILED', error: { code: 'FILE_NOT_FOUND' } });
    const queued = await steering.retry(CALLER, id);
    expect(queued).toMatchObject({ state: 'QUEUED', attempt: 0, error: null, startedAt: null, finishedAt: null });
    expect(offered.offers.at(-1)).toEqual({ jobId: id, options: { priority: 2, once: String(queued.lastSeq) } });
    await goOn(id);
    expect(await runtime.job(id)).toMatchObject({ state: 'SUCCEEDED', attempt: 1, progress: { rowsLoaded: 4 } });
    const attempts = await runtime.stores.jobs.attempts('default', id, 10);
    expect(attempts.map(({ number, outcome, error }) => [number, outcome, error?.code])).toEqual([
      [1, 'FAILED', 'FILE_NOT_FOUND'],
      [1, 'SUCCEEDED', undefined],
    ]);
  });

  it.each(['UNAVAILABLE', 'TARGET_NOT_FOUND'] as const)(
    'a job whose rows are in the target for good goes on with the parts that are left, after %s',
    async (code) => {
      await runtime.pool.query('create table target (id bigint, name text)');
      const id = await halfWay({ mode: 'APPEND' }, code);
      expect(await ids()).toEqual([0, 1]);
      // Nothing takes its parts away meanwhile.
      const context = runtime.context(engine);
      expect(await runtime.stores.sweep.leftovers(0, 10)).toEqual([]);
      expect(await runtime.stores.sweep.ended([id])).toEqual([]);
      const [attempt] = [await runtime.job(id)];
      await cleanUp(context, { job: attempt, token: newId(), prepared: null, timeLeftMs: null });
      expect(await steering.retry(CALLER, id)).toMatchObject({
        state: 'QUEUED',
        attempt: 0,
        progress: { rowsLoaded: 2 },
      });
      // Evaluated again, it would have other rows.
      await goOn(id, { parts: [[[77, 'other']]] });
      expect(await runtime.job(id)).toMatchObject({
        state: 'SUCCEEDED',
        attempt: 1,
        progress: { rowsRead: 5, rowsLoaded: 4, rowsQuarantined: 1 },
      });
      expect(await ids()).toEqual([0, 1, 2, 3]);
      expect(await readdir(runtime.staging)).not.toContain(id);
    },
  );

  it('such a job is refused once its parts are gone, for anything else would double rows', async () => {
    await runtime.pool.query('create table target (id bigint, name text)');
    const id = await halfWay({ mode: 'APPEND' });
    await runtime.pool.query(`update sluice.job set finished_at = finished_at - interval '8 days' where id = $1`, [id]);
    for (const attempt of await runtime.stores.sweep.leftovers(0, 10)) await cleanUp(runtime.context(engine), attempt);
    expect(await readdir(runtime.staging)).not.toContain(id);
    await expect(steering.retry(CALLER, id)).rejects.toMatchObject({
      code: 'STATE_NOT_ALLOWED',
      message: expect.stringContaining('its parts are gone'),
    });
    expect(await runtime.job(id)).toMatchObject({ state: 'DEAD' });
    expect(await ids()).toEqual([0, 1]);
  });

  it.each([
    ['REPLACE', 'replaces nothing before it is done'],
    ['UPSERT', 'writes the same rows again'],
  ] as const)('a job with %s begins anew: it %s', async (mode, _what) => {
    await runtime.pool.query(
      `create table target (id bigint primary key, name text); insert into target values (9, 'old')`,
    );
    const id = await halfWay({ mode });
    expect(await ids()).toEqual(mode === 'UPSERT' ? [0, 1, 9] : [9]);
    expect(await readdir(runtime.staging)).not.toContain(id);
    expect(await staged()).toEqual([0]);
    expect(await steering.retry(CALLER, id)).toMatchObject({
      state: 'QUEUED',
      progress: { rowsRead: 0, rowsLoaded: 0, chunksTotal: null },
    });
    expect(await runtime.column('select count(*)::int from sluice.chunk where job_id = $1', [id])).toEqual([0]);
    await goOn(id, { parts: [...PARTS, [[5, 'new']]] });
    expect(await runtime.job(id)).toMatchObject({ state: 'SUCCEEDED', progress: { rowsLoaded: 5 } });
    expect(await ids()).toEqual(mode === 'UPSERT' ? [0, 1, 2, 3, 5, 9] : [0, 1, 2, 3, 5]);
    expect(await staged()).toEqual([0]);
  });

  it('a job waits for whoever removes what it left, and what is removed is never that of the retry', async () => {
    await runtime.pool.query('create table target (id bigint primary key, name text)');
    const id = await halfWay({ mode: 'REPLACE' });
    // As if the worker that ended it had not come to removing anything.
    await runtime.pool.query(`update sluice.job set prepared = '{"schema":"public"}' where id = $1`, [id]);
    await mkdir(join(runtime.staging, id, 'old'), { recursive: true });
    const { attempts } = runtime.stores;
    let isRemoving = () => {};
    let goAhead = () => {};
    const removing = new Promise<void>((resolve) => {
      isRemoving = resolve;
    });
    const disposed = attempts.dispose(id, async () => {
      isRemoving();
      await new Promise<void>((resolve) => {
        goAhead = resolve;
      });
    });
    await removing;
    const retried = steering.retry(CALLER, id);
    goAhead();
    await disposed;
    expect(await retried).toMatchObject({ state: 'QUEUED' });
    let isAsked = false;
    await attempts.dispose(id, async () => {
      isAsked = true;
    });
    expect(isAsked).toBe(false);
    await goOn(id);
    expect(await runtime.job(id)).toMatchObject({ state: 'SUCCEEDED' });
  });

  it('a job that takes workers down is possible once somebody has mended the cause', async () => {
    await runtime.pool.query('create table target (id bigint, name text)');
    const id = await runtime.launch();
    for (let death = 0; death < 3; death++) {
      await runtime.stores.attempts.claim(id, newId(), 'killed', 0);
      await runtime.stores.sweep.takeOver(3, 60_000, 10);
    }
    expect(await runtime.job(id)).toMatchObject({ state: 'DEAD', error: { code: 'POISON' } });
    await steering.retry(CALLER, id);
    expect(await runtime.column('select takeovers from sluice.job where id = $1', [id])).toEqual([0]);
    await goOn(id);
    expect(await runtime.job(id)).toMatchObject({ state: 'SUCCEEDED', error: null });
  });

  it('a job that waits for its next attempt makes it now', async () => {
    const id = await runtime.launch();
    await runtime.pool.query(
      `update sluice.job set state = 'RETRYING', attempt = 2, due_at = statement_timestamp() + interval '1 h' where id = $1`,
      [id],
    );
    expect(await steering.retry(CALLER, id)).toMatchObject({ state: 'QUEUED', attempt: 2, dueAt: null });
    expect(offered.offers.at(-1)).toMatchObject({ jobId: id });
  });

  it('twice is once, and a job in another state is told what else can be done', async () => {
    const id = await runtime.launch();
    await runtime.pool.query(`update sluice.job set state = 'DEAD' where id = $1`, [id]);
    const once = await steering.retry(CALLER, id);
    expect(await steering.retry(CALLER, id)).toEqual(once);
    const hints = [
      ['PAUSED', 'resume it'],
      ['AWAITING_DECISION', 'verdict'],
      ['SUCCEEDED', 'launch it again'],
      ['CANCELLED', 'launch it again'],
    ];
    for (const [state, hint] of hints) {
      await runtime.pool.query('update sluice.job set state = $2 where id = $1', [id, state]);
      await expect(steering.retry(CALLER, id)).rejects.toMatchObject({
        code: 'STATE_NOT_ALLOWED',
        message: expect.stringContaining(hint ?? ''),
      });
    }
  });

  it('at the same time from several gateways starts the job once', async () => {
    const id = await runtime.launch();
    await runtime.pool.query(`update sluice.job set state = 'FAILED' where id = $1`, [id]);
    const retried = await Promise.all([1, 2, 3, 4].map(() => steering.retry(CALLER, id)));
    expect(new Set(retried.map(({ lastSeq }) => lastSeq))).toEqual(new Set([2]));
    expect(await runtime.events(id)).toHaveLength(2);
  });

  it('a job that was once held reports nothing of it a second time', async () => {
    const id = await runtime.launch();
    await runtime.pool.query(`update sluice.job set state = 'FAILED', held = true where id = $1`, [id]);
    await steering.retry(CALLER, id);
    await goOn(id);
    expect(await runtime.job(id)).toMatchObject({ state: 'SUCCEEDED' });
    expect(await reportsOf(runtime.pool, id)).toEqual([]);
  });

  it('a job that loads into another database goes on there too, and its ledger goes with it', async () => {
    await warehouse.query('drop table if exists target; create table target (id bigint, name text)');
    const id = await halfWay({ mode: 'APPEND', connection: 'warehouse' });
    const rows = async () =>
      (await warehouse.query<{ id: number }>('select id::int from target order by id')).rows.map((row) => row.id);
    expect(await rows()).toEqual([0, 1]);
    await steering.retry(CALLER, id);
    await goOn(id);
    expect(await runtime.job(id)).toMatchObject({ state: 'SUCCEEDED', progress: { rowsLoaded: 4 } });
    expect(await rows()).toEqual([0, 1, 2, 3]);
    expect((await warehouse.query('select from sluice_ledger.load')).rowCount).toBe(0);
  });
});
