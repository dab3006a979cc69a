import { readdir } from 'node:fs/promises';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../src/core/ids.js';
import type { Engine } from '../../src/engine/engine.js';
import { cleanUp } from '../../src/jobs/end-attempt.js';
import type { JobSteering } from '../../src/jobs/job-steering.js';
import type { Pool } from '../../src/store/pool.js';
import { emptyDatabase } from '../support/database.js';
import { engineHome } from '../support/engine-home.js';
import { eventually } from '../support/eventually.js';
import { gate } from '../support/gate.js';
import { partEngine } from '../support/part-engine.js';
import { aPipeline, aRuntime, type Runtime } from '../support/runtime.js';
import { CALLER, steeringOf } from '../support/steering.js';

let runtime: Runtime;
let warehouse: Pool;
let steering: JobSteering;
let duckdb: Engine;
beforeAll(async () => {
  const foreign = await emptyDatabase();
  warehouse = foreign.pool;
  runtime = await aRuntime({ connections: { warehouse: foreign.url } });
  ({ steering } = steeringOf(runtime));
  duckdb = (await engineHome()).engine;
});
afterEach(() => runtime.pool.query('drop table if exists target; delete from sluice.job'));

const PARTS = Array.from({ length: 6 }, (_, i) => [[i, `row ${i}`]] as const);
const engine = partEngine({ parts: PARTS });
const spec = (sink: object) => aPipeline({ table: 'target', ...sink }).json;
const ids = () => runtime.column('select id::int from target order by id');
const aTarget = () =>
  runtime.pool.query(`create table target (id bigint primary key, name text); insert into target values (9, 'old')`);
const aPlainTarget = () =>
  runtime.pool.query(`create table target (id bigint, name text); insert into target values (9, 'old')`);
const staged = () =>
  runtime.column(
    `select count(*)::int from pg_class where relname like '%sluice%' and relnamespace = 'public'::regnamespace`,
  );

/** A job that has loaded two of its parts, and whose others wait at a gate. */
async function loading(sink: object) {
  const { wait, open, isReached } = gate();
  const { parsePipeline } = runtime.context(engine);
  const { queue } = await runtime.worker(engine, {
    parsePipeline(stored) {
      const pipeline = parsePipeline(stored);
      const load: typeof pipeline.sink.load = async (tx, prepared, part) => {
        if (part.ordinal > 1) await wait(tx.signal);
        return pipeline.sink.load(tx, prepared, part);
      };
      return { ...pipeline, sink: { ...pipeline.sink, load } };
    },
  });
  const id = await runtime.launch({ spec: spec(sink) });
  const running = queue.hint(id);
  await isReached;
  await eventually(async () => (await runtime.job(id)).progress.chunksDone === 2);
  return { id, running, open };
}

describe('cancelling a job that loads', () => {
  it.each(['APPEND', 'UPSERT'] as const)(
    'into a target with %s keeps the parts that are committed, and counts them',
    async (mode) => {
      await (mode === 'UPSERT' ? aTarget() : aPlainTarget());
      const { id, running } = await loading({ mode });
      await steering.cancel(CALLER, id, false);
      await running;
      expect(await runtime.job(id)).toMatchObject({ state: 'CANCELLED', progress: { rowsLoaded: 2, chunksDone: 2 } });
      expect(await ids()).toEqual([0, 1, 9]);
      expect(await readdir(runtime.staging)).not.toContain(id);
      expect(await runtime.stores.jobs.attempts('default', id, 10)).toMatchObject([
        { number: 1, outcome: 'CANCELLED' },
      ]);
      // Nothing of it is kept for a retry: it is over.
      expect(await runtime.stores.sweep.ended([id])).toEqual([id]);
    },
  );

  it.each([
    ['mode REPLACE', { mode: 'REPLACE' }],
    ['an APPEND that is staged', { mode: 'APPEND', staged: true }],
    ['an UPSERT that is staged', { mode: 'UPSERT', staged: true }],
  ] as const)('into a target with %s leaves it untouched, with and without rollback', async (_what, sink) => {
    await aTarget();
    for (const rollback of [true, false]) {
      const { id, running } = await loading(sink);
      expect(await ids()).toEqual([9]);
      await steering.cancel(CALLER, id, rollback);
      await running;
      expect(await runtime.job(id)).toMatchObject({ state: 'CANCELLED' });
      expect(await ids()).toEqual([9]);
      expect(await staged()).toEqual([0]);
      expect(await steering.cancel(CALLER, id, true)).toMatchObject({ state: 'CANCELLED' });
    }
  });

  it.each(['APPEND', 'UPSERT'] as const)(
    'straight into a target with %s is refused with rollback, and it runs on',
    async (mode) => {
      await (mode === 'UPSERT' ? aTarget() : aPlainTarget());
      const { id, running, open } = await loading({ mode });
      await expect(steering.cancel(CALLER, id, true)).rejects.toMatchObject({
        code: 'ROLLBACK_NOT_POSSIBLE',
        path: ['rollback'],
        message: expect.stringContaining('staged: true'),
      });
      open();
      await running;
      expect(await runtime.job(id)).toMatchObject({ state: 'SUCCEEDED' });
      expect(await ids()).toEqual([0, 1, 2, 3, 4, 5, 9]);
    },
  );

  it('is refused with rollback afterwards too, while rows are in the target', async () => {
    await aPlainTarget();
    const { id, running } = await loading({ mode: 'APPEND' });
    await steering.cancel(CALLER, id, false);
    await running;
    await expect(steering.cancel(CALLER, id, true)).rejects.toMatchObject({ code: 'ROLLBACK_NOT_POSSIBLE' });
    expect(await steering.cancel(CALLER, id, false)).toMatchObject({ state: 'CANCELLED' });
  });
});

describe('cancelling with rollback', () => {
  it('a job that has not begun to load leaves nothing, whatever its target', async () => {
    await aPlainTarget();
    const { wait, isReached, open } = gate();
    const { queue } = await runtime.worker(partEngine({ parts: PARTS, before: wait }));
    const id = await runtime.launch({ spec: spec({ mode: 'APPEND' }) });
    const running = queue.hint(id);
    await isReached;
    // Its row says so; whatever its worker still does in between adds nothing.
    await runtime.stores.jobs.requestCancel('default', id, true);
    open();
    await running;
    expect(await runtime.job(id)).toMatchObject({ state: 'CANCELLED', progress: { rowsLoaded: 0 } });
    expect(await ids()).toEqual([9]);
    const queued = await runtime.launch({ spec: spec({ mode: 'APPEND' }) });
    expect(await steering.cancel(CALLER, queued, true)).toMatchObject({ state: 'CANCELLED' });
  });

  it('a job of an older version, of which nobody knows how it loads, is refused', async () => {
    const id = await runtime.launch();
    await runtime.pool.query(`update sluice.job set state = 'PAUSED', chunks_total = 3 where id = $1`, [id]);
    await expect(steering.cancel(CALLER, id, true)).rejects.toMatchObject({ code: 'ROLLBACK_NOT_POSSIBLE' });
    expect(await runtime.job(id)).toMatchObject({ state: 'PAUSED' });
  });
});

describe('cancelling', () => {
  it('a job that every worker has left needs nobody to end it', async () => {
    const id = await runtime.launch();
    await runtime.stores.attempts.claim(id, newId(), 'gone', 0);
    expect(await steering.cancel(CALLER, id, false)).toMatchObject({ state: 'CANCELLED' });
    expect(await runtime.stores.jobs.attempts('default', id, 10)).toMatchObject([{ outcome: 'CANCELLED' }]);
  });

  it('a paused job removes what it had staged', async () => {
    await aTarget();
    const { id, running } = await loading({ mode: 'REPLACE' });
    await steering.pause(CALLER, id);
    await running;
    expect(await staged()).not.toEqual([0]);
    expect(await steering.cancel(CALLER, id, true)).toMatchObject({ state: 'CANCELLED' });
    for (const attempt of await runtime.stores.sweep.leftovers(0, 10)) await cleanUp(runtime.context(engine), attempt);
    expect(await staged()).toEqual([0]);
    expect(await readdir(runtime.staging)).not.toContain(id);
  });

  it('a job in the dead-letter list takes it off', async () => {
    const id = await runtime.launch();
    await runtime.pool.query(`update sluice.job set state = 'DEAD' where id = $1`, [id]);
    expect(await steering.cancel(CALLER, id, false)).toMatchObject({ state: 'CANCELLED' });
  });

  it('a job that DuckDB evaluates interrupts it', async () => {
    const { context, queue } = await runtime.worker(duckdb);
    const rows = Array.from({ length: 5_000 }, (_, id) => ({ id }));
    const query = 'SELECT sum((a.id * b.id * c.id) % 7)::BIGINT AS id FROM input a, input b, input c';
    const endless = context.parsePipeline({
      source: { records: { rows } },
      steps: [{ sql: { query } }],
      sink: { postgres: { table: 'target', createTable: true } },
    });
    const id = await runtime.launch({ spec: endless.json });
    const running = queue.hint(id);
    await eventually(async () => (await runtime.job(id)).stage === 'EVALUATING');
    await steering.cancel(CALLER, id, false);
    await running;
    expect(await runtime.job(id)).toMatchObject({ state: 'CANCELLED', error: null });
    await eventually(() => duckdb.openSessions() === 0);
  });
});

describe('with the target in another database, cancelling', () => {
  const sink = { connection: 'warehouse', table: 'target' };
  const foreignIds = async () =>
    (await warehouse.query<{ id: number }>('select id::int from target order by id')).rows.map(({ id }) => id);

  it('counts a part that is committed there and not yet here', async () => {
    await warehouse.query('drop table if exists target; create table target (id bigint, name text)');
    const { wait, open, isReached } = gate();
    const { chunks } = runtime.stores;
    const { queue } = await runtime.worker(partEngine({ parts: PARTS.slice(0, 1) }), {
      chunks: {
        ...chunks,
        async countLoaded(chunk, rows) {
          await wait(new AbortController().signal);
          return chunks.countLoaded(chunk, rows);
        },
      },
    });
    const id = await runtime.launch({ spec: spec({ ...sink, mode: 'APPEND' }) });
    const running = queue.hint(id);
    await isReached;
    await steering.cancel(CALLER, id, false);
    open();
    await running;
    expect(await runtime.job(id)).toMatchObject({ state: 'CANCELLED', progress: { rowsLoaded: 1 } });
    expect(await foreignIds()).toEqual([0]);
  });

  it('comes too late once it is published there', async () => {
    await warehouse.query('drop table if exists target; create table target (id bigint, name text)');
    const { wait, open, isReached } = gate();
    const { chunks } = runtime.stores;
    const { queue } = await runtime.worker(engine, {
      chunks: {
        ...chunks,
        finish: (attempt, signal, publish, isElsewhere) =>
          chunks.finish(
            attempt,
            signal,
            async (client, loaded) => {
              const recheck = await publish(client, loaded);
              await wait(new AbortController().signal);
              return recheck;
            },
            isElsewhere,
          ),
      },
    });
    const id = await runtime.launch({ spec: spec({ ...sink, mode: 'REPLACE' }) });
    const running = queue.hint(id);
    await isReached;
    await steering.cancel(CALLER, id, true);
    open();
    await running;
    expect(await runtime.job(id)).toMatchObject({ state: 'SUCCEEDED', progress: { rowsLoaded: 6 } });
    expect(await foreignIds()).toEqual([0, 1, 2, 3, 4, 5]);
  });
});
