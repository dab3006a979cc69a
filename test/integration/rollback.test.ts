import { readdir } from 'node:fs/promises';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../src/core/ids.js';
import type { JobSteering } from '../../src/jobs/job-steering.js';
import { rollBack } from '../../src/jobs/roll-back.js';
import { startSweeper } from '../../src/jobs/sweeper.js';
import type { WorkerContext } from '../../src/jobs/worker-context.js';
import type { Pool } from '../../src/store/pool.js';
import { emptyDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { gate } from '../support/gate.js';
import { aHalfLoadedJob } from '../support/half-loaded-job.js';
import { partEngine } from '../support/part-engine.js';
import { aPipeline, aRuntime, type Runtime } from '../support/runtime.js';
import { CALLER, steeringOf } from '../support/steering.js';

let runtime: Runtime;
let warehouse: Pool;
let steering: JobSteering;
beforeAll(async () => {
  const foreign = await emptyDatabase();
  warehouse = foreign.pool;
  runtime = await aRuntime({ connections: { warehouse: foreign.url } });
  ({ steering } = steeringOf(runtime));
});

const CREATE = 'drop table if exists target cascade; create table target (id bigint, name text, load uuid)';
const HOMES = [
  ['at home', 'default'],
  ['in another database', 'warehouse'],
] as const;
const poolOf = (connection: string) => (connection === 'default' ? runtime.pool : warehouse);
const aTarget = (connection: string) =>
  poolOf(connection).query(`${CREATE}; insert into target values (9, 'old', null), (8, 'other', '${newId()}')`);
const idsIn = async (connection: string) =>
  (await poolOf(connection).query<{ id: number }>('select id::int from target order by id')).rows.map(({ id }) => id);
afterEach(() => runtime.pool.query('delete from sluice.job; delete from sluice.load'));

const PARTS = Array.from({ length: 6 }, (_, i) => [[i, `row ${i}`]] as const);
const engine = partEngine({ parts: PARTS, bad: ['{"id":"x"}'] });
const sinkOf = (connection: string, sink: object = {}) => ({
  connection,
  table: 'target',
  mode: 'APPEND',
  loadIdColumn: 'load',
  ...sink,
});
const stop = new AbortController().signal;

/** A job that has loaded two of its parts; the others wait at a gate once their rows are copied. */
async function loading(connection: string, sink: object = {}) {
  const { wait, open, isReached } = gate();
  const { parsePipeline } = runtime.context(engine);
  const { queue } = await runtime.worker(engine, {
    parsePipeline(stored) {
      const pipeline = parsePipeline(stored);
      const load: typeof pipeline.sink.load = async (tx, prepared, part) => {
        const loaded = await pipeline.sink.load(tx, prepared, part);
        if (part.ordinal > 1) await wait(new AbortController().signal);
        return loaded;
      };
      return { ...pipeline, sink: { ...pipeline.sink, load } };
    },
  });
  const id = await runtime.launch({ spec: aPipeline(sinkOf(connection, sink)).json });
  const running = queue.hint(id);
  await isReached;
  await eventually(async () => (await runtime.job(id)).progress.chunksDone === 2);
  return { id, running, open };
}

async function sweepUntil(condition: () => Promise<boolean>, changes: Partial<WorkerContext> = {}): Promise<void> {
  const sweeper = startSweeper({ ...runtime.context(engine), ...changes }, runtime.stores.sweep);
  try {
    await eventually(async () => {
      sweeper.wake();
      return condition();
    });
  } finally {
    await sweeper.stop();
  }
}
const cancelled = (id: string) => async () => (await runtime.job(id)).state === 'CANCELLED';
const lastEvent = async (id: string) => (await runtime.events(id)).at(-1);

describe.each(HOMES)('a rollback by the id of the load %s', (_where, connection) => {
  it('takes the rows of a running job out, and no late part adds any', async () => {
    await aTarget(connection);
    const { id, running, open } = await loading(connection);
    const [first, second] = await Promise.all([steering.cancel(CALLER, id, true), steering.cancel(CALLER, id, true)]);
    expect([first, second]).toMatchObject([{ cancelRequested: true }, { cancelRequested: true }]);
    expect(await steering.cancel(CALLER, id, false)).toMatchObject({ cancelRequested: true });
    // Rows that are copied and not committed wait at the gate meanwhile.
    open();
    await running;
    await sweepUntil(cancelled(id));
    expect(await idsIn(connection)).toEqual([8, 9]);
    expect(await runtime.job(id)).toMatchObject({ state: 'CANCELLED', error: null, progress: { rowsLoaded: 0 } });
    const event = await lastEvent(id);
    expect(event).toMatchObject({ kind: 'STATE', state: 'CANCELLED', progress: { rowsLoaded: 0 } });
    expect(event?.message).toMatch(/^The job was cancelled, and [2-4] rows were removed from its target\.$/);
    expect(await runtime.stores.jobs.attempts('default', id, 10)).toMatchObject([{ outcome: 'CANCELLED' }]);
    expect(await readdir(runtime.staging)).not.toContain(id);
    expect(await steering.cancel(CALLER, id, true)).toMatchObject({ state: 'CANCELLED' });
    expect(await runtime.stores.sweep.rollbacks(10)).toEqual([]);
  });

  it('does not wait for a worker that is frozen while it copies, and lets it commit nothing', async () => {
    await aTarget(connection);
    const { id, running, open } = await loading(connection);
    // Marked in the row alone, so that its worker does not hear of it.
    await runtime.stores.jobs.requestCancel('default', id, true);
    await runtime.pool.query(
      `update sluice.job set lease_until = statement_timestamp() - interval '1 s' where id = $1`,
      [id],
    );
    const [attempt] = await runtime.stores.sweep.rollbacks(10);
    if (!attempt) throw new Error('nothing to roll back');
    const removal = rollBack(runtime.context(engine), attempt, stop);
    // At home its commit is refused whenever it comes; elsewhere the removal waits for the transactions in hand.
    if (connection === 'default') await removal;
    open();
    expect(await removal).toBe(true);
    await running;
    expect(await idsIn(connection)).toEqual([8, 9]);
    expect(await runtime.job(id)).toMatchObject({ state: 'CANCELLED', progress: { rowsLoaded: 0 } });
    expect(await idsIn(connection)).toEqual([8, 9]);
  });

  it.each(['PAUSED', 'AWAITING_DECISION', 'RETRYING', 'DEAD'] as const)('cancels a job that is %s', async (state) => {
    await aTarget(connection);
    const id = await aHalfLoadedJob(runtime, sinkOf(connection));
    expect(await idsIn(connection)).toEqual([0, 1, 8, 9]);
    const due = state === 'RETRYING' ? `, due_at = statement_timestamp() + interval '1 h'` : '';
    await runtime.pool.query(`update sluice.job set state = $2 ${due} where id = $1`, [id, state]);
    expect(await steering.cancel(CALLER, id, true)).toMatchObject({ state, cancelRequested: true });
    // Nobody has it go on meanwhile.
    await expect(steering.retry(CALLER, id)).rejects.toMatchObject({ code: 'STATE_NOT_ALLOWED' });
    if (state === 'PAUSED')
      await expect(steering.resume(CALLER, id)).rejects.toMatchObject({ code: 'STATE_NOT_ALLOWED' });
    const [refused] = (await runtime.stores.deadLetters.discard('default', 'x', { ids: [id] }, 'why')).refused;
    expect(refused).toMatchObject({ reason: 'NOT_DEAD' });
    await sweepUntil(cancelled(id));
    expect(await idsIn(connection)).toEqual([8, 9]);
    expect(await lastEvent(id)).toMatchObject({
      message: 'The job was cancelled, and 2 rows were removed from its target.',
    });
  });

  it('is done again, and counted whole, when whoever does it is killed', async () => {
    await aTarget(connection);
    const id = await aHalfLoadedJob(runtime, sinkOf(connection));
    await steering.cancel(CALLER, id, true);
    const [attempt] = await runtime.stores.sweep.rollbacks(10);
    if (!attempt) throw new Error('nothing to roll back');
    const context = runtime.context(engine);
    const { chunks } = runtime.stores;
    const killed = {
      ...context,
      chunks: {
        ...chunks,
        rollBack: (jobId, signal, remove) =>
          chunks.rollBack(jobId, signal, async (client) => {
            await remove(client);
            throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
          }),
      },
    } satisfies WorkerContext;
    await expect(rollBack(killed, attempt, stop)).rejects.toThrow('ECONNRESET');
    expect(await runtime.job(id)).toMatchObject({ state: 'DEAD', cancelRequested: true });
    await sweepUntil(cancelled(id));
    expect(await idsIn(connection)).toEqual([8, 9]);
    expect(await lastEvent(id)).toMatchObject({
      message: 'The job was cancelled, and 2 rows were removed from its target.',
    });
  });

  it('by two at once is done by one of them', async () => {
    await aTarget(connection);
    const id = await aHalfLoadedJob(runtime, sinkOf(connection));
    await steering.cancel(CALLER, id, true);
    const [attempt] = await runtime.stores.sweep.rollbacks(10);
    if (!attempt) throw new Error('nothing to roll back');
    const both = [1, 2].map(() => rollBack(runtime.context(engine), attempt, stop));
    expect((await Promise.all(both)).sort()).toEqual([false, true]);
    expect((await runtime.events(id)).filter(({ state }) => state === 'CANCELLED')).toHaveLength(1);
  });

  it('cancels the job and says so when the target keeps its rows', async () => {
    await aTarget(connection);
    await poolOf(connection).query(
      `alter table target add unique (id); create table if not exists child (id bigint);
       drop table child; alter table target drop constraint target_id_key`,
    );
    const id = await aHalfLoadedJob(runtime, sinkOf(connection));
    await poolOf(connection).query(
      `alter table target add primary key (id); create table child (id bigint references target); insert into child values (1)`,
    );
    await steering.cancel(CALLER, id, true);
    await sweepUntil(cancelled(id));
    await poolOf(connection).query('drop table child');
    expect(await idsIn(connection)).toEqual([0, 1, 8, 9]);
    expect(await runtime.job(id)).toMatchObject({ progress: { rowsLoaded: 2 } });
    expect((await lastEvent(id))?.message).toContain('its rows are still in the target');
    await expect(steering.cancel(CALLER, id, true)).rejects.toMatchObject({ code: 'ROLLBACK_NOT_POSSIBLE' });
  });

  it('is refused for an UPSERT that loads straight, and too late after a cancel without it', async () => {
    await aTarget(connection);
    await poolOf(connection).query('alter table target add primary key (id)');
    const upsert = await aHalfLoadedJob(runtime, sinkOf(connection, { mode: 'UPSERT' }));
    await expect(steering.cancel(CALLER, upsert, true)).rejects.toMatchObject({
      code: 'ROLLBACK_NOT_POSSIBLE',
      message: expect.stringContaining('nothing tells its rows'),
    });
    await aTarget(connection);
    const id = await aHalfLoadedJob(runtime, sinkOf(connection));
    await steering.cancel(CALLER, id, false);
    await expect(steering.cancel(CALLER, id, true)).rejects.toMatchObject({
      code: 'ROLLBACK_NOT_POSSIBLE',
      message: expect.stringContaining(id),
    });
  });

  it('leaves nothing of a target with a trigger or partitions, which is loaded aside', async () => {
    await aTarget(connection);
    await poolOf(connection).query(
      `create or replace function same() returns trigger language plpgsql as $$ begin return new; end $$;
       create trigger t before insert on target for each row execute function same()`,
    );
    const { id, running, open } = await loading(connection);
    await steering.cancel(CALLER, id, true);
    open();
    await running;
    expect(await runtime.job(id)).toMatchObject({ state: 'CANCELLED' });
    expect(await idsIn(connection)).toEqual([8, 9]);
  });
});

describe.each(HOMES)('a load that is complete %s', (_where, connection) => {
  const table = connection === 'default' ? 'sluice.load' : 'sluice_ledger.complete_load';
  const complete = async () =>
    (
      await poolOf(connection).query(
        `select load_id, tenant, job_name, connection, target_schema, target_table, mode, rows::int from ${table}`,
      )
    ).rows;

  it('is told from one that is not by a join', async () => {
    await aTarget(connection);
    if (connection !== 'default') await warehouse.query('drop schema if exists sluice_ledger cascade');
    const { queue } = await runtime.worker(engine);
    const id = await runtime.launch({ spec: aPipeline(sinkOf(connection)).json });
    await queue.hint(id);
    expect(await runtime.job(id)).toMatchObject({ state: 'SUCCEEDED', error: null });
    expect(await complete()).toEqual([
      {
        load_id: id,
        tenant: 'default',
        job_name: 'test',
        connection,
        target_schema: 'public',
        target_table: 'target',
        mode: 'APPEND',
        rows: 6,
      },
    ]);
    await aHalfLoadedJob(runtime, sinkOf(connection));
    const { rows } = await poolOf(connection).query<{ id: number }>(
      `select target.id::int from target join ${table} as load on load.load_id = target.load order by 1`,
    );
    expect(rows.map((row) => row.id)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('is not remembered when nothing in its rows tells of it', async () => {
    await aTarget(connection);
    const { queue } = await runtime.worker(engine);
    const before = await complete();
    const id = await runtime.launch({ spec: aPipeline({ connection, table: 'target', mode: 'REPLACE' }).json });
    await queue.hint(id);
    expect(await runtime.job(id)).toMatchObject({ state: 'SUCCEEDED' });
    expect(await complete()).toEqual(before);
  });
});

it('takes a publication back that came between the request and the end of the job', async () => {
  await aTarget('warehouse');
  const { queue } = await runtime.worker(engine, {
    chunks: {
      ...runtime.stores.chunks,
      finish: (attempt, signal, publish, isElsewhere) =>
        runtime.stores.chunks.finish(
          attempt,
          signal,
          async (client, loaded) => {
            const recheck = await publish(client, loaded);
            await runtime.stores.jobs.requestCancel('default', attempt.job.id, true);
            return recheck;
          },
          isElsewhere,
        ),
    },
  });
  const id = await runtime.launch({ spec: aPipeline(sinkOf('warehouse')).json });
  await queue.hint(id);
  expect(await runtime.job(id)).toMatchObject({ state: 'RUNNING', cancelRequested: true });
  await sweepUntil(cancelled(id));
  expect(await idsIn('warehouse')).toEqual([8, 9]);
  expect((await warehouse.query('select from sluice_ledger.complete_load where load_id = $1', [id])).rowCount).toBe(0);
  expect(await lastEvent(id)).toMatchObject({
    message: 'The job was cancelled, and 6 rows were removed from its target.',
  });
});
