import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SluiceError } from '../../src/core/errors.js';
import { eventually } from '../support/eventually.js';
import { partEngine } from '../support/part-engine.js';
import { aPipeline, aRuntime, type Runtime } from '../support/runtime.js';

let runtime: Runtime;
beforeAll(async () => {
  runtime = await aRuntime();
});
afterEach(() => runtime.pool.query('drop table if exists target; delete from sluice.job'));

const engine = partEngine({ parts: Array.from({ length: 5 }, (_, i) => [[i, `row ${i}`]] as const) });
const passing = (details?: Record<string, unknown>) =>
  new SluiceError('UNAVAILABLE', 'On purpose.', details && { details });

/** A worker whose loads fail while `failsWith` answers an error for the part; in between, parts are loaded as ever. */
async function aWorker(
  failsWith: (ordinal: number) => Error | undefined | Promise<Error | undefined>,
  random = () => 0.5,
) {
  const { parsePipeline } = runtime.context(engine);
  return runtime.worker(engine, {
    random,
    parsePipeline(spec) {
      const pipeline = parsePipeline(spec);
      const load: typeof pipeline.sink.load = async (tx, prepared, part) => {
        const rows = await pipeline.sink.load(tx, prepared, part);
        const error = await failsWith(part.ordinal);
        if (error) throw error;
        return rows;
      };
      return { ...pipeline, sink: { ...pipeline.sink, load } };
    },
  });
}

const ids = () => runtime.column('select id::int from target order by id');
const chunk = async (jobId: string, ordinal: number) => {
  const { rows } = await runtime.pool.query<Record<string, unknown>>(
    `select state, failures, lease_token, (extract(epoch from due_at - statement_timestamp()) * 1000)::float8 as due_in_ms
     from sluice.chunk where job_id = $1 and ordinal = $2`,
    [jobId, ordinal],
  );
  return rows[0];
};
const chunksAreDue = () =>
  runtime.pool.query('update sluice.chunk set due_at = statement_timestamp() where due_at is not null');
const jobIsDue = async () => {
  await runtime.pool.query(`update sluice.job set due_at = statement_timestamp() where state = 'RETRYING'`);
  await runtime.stores.sweep.due(10);
};

describe('a part that fails for a reason that passes', () => {
  it('is tried again by itself when it is due, while the others are loaded', async () => {
    let isBroken = true;
    const { queue } = await aWorker((ordinal) => (isBroken && ordinal === 1 ? passing() : undefined));
    const id = await runtime.launch();
    // The worker is free again, for nobody waits for the part.
    await queue.hint(id);
    expect(await runtime.job(id)).toMatchObject({
      state: 'RUNNING',
      stage: 'LOADING',
      attempt: 1,
      progress: { chunksDone: 4, chunksTotal: 5 },
    });
    expect(await chunk(id, 1)).toMatchObject({ state: 'PENDING', failures: 1, lease_token: null });
    const { sweep } = runtime.stores;
    expect(await sweep.unattendedLoads(0, 10)).toEqual([]);
    expect(await sweep.takeOver(1, 60_000, 10)).toEqual([]);
    expect(await sweep.nextDueMs()).toBeGreaterThan(0);
    isBroken = false;
    await queue.hint(id);
    expect(await runtime.job(id)).toMatchObject({ state: 'RUNNING' });
    await chunksAreDue();
    expect(await sweep.unattendedLoads(60_000, 10)).toMatchObject([{ jobId: id }]);
    await queue.hint(id);
    expect(await runtime.job(id)).toMatchObject({ state: 'SUCCEEDED', attempt: 1, progress: { rowsLoaded: 5 } });
    expect(await ids()).toEqual([0, 1, 2, 3, 4]);
    expect((await runtime.events(id)).map(({ kind, message }) => [kind, message])).toContainEqual([
      'STAGE',
      'Part 2 of 5 is tried again in 250 ms: On purpose.',
    ]);
  });

  it('uses up its own tries first; then the job is tried again, and the part has all of its tries anew', async () => {
    let failures = 0;
    const { queue } = await aWorker((ordinal) => (ordinal === 1 && failures++ < 4 ? passing() : undefined));
    const id = await runtime.launch();
    for (const tries of [1, 2]) {
      await queue.hint(id);
      expect(await chunk(id, 1)).toMatchObject({ state: 'PENDING', failures: tries });
      expect(await runtime.job(id)).toMatchObject({ state: 'RUNNING', attempt: 1 });
      await chunksAreDue();
    }
    await queue.hint(id);
    expect(await runtime.job(id)).toMatchObject({
      state: 'RETRYING',
      attempt: 1,
      error: { code: 'UNAVAILABLE', failureClass: 'TRANSIENT' },
    });
    expect(await chunk(id, 1)).toMatchObject({ failures: 0, due_in_ms: null });
    await jobIsDue();
    await queue.hint(id);
    expect(await chunk(id, 1)).toMatchObject({ state: 'PENDING', failures: 1 });
    expect(await runtime.job(id)).toMatchObject({ state: 'RUNNING', attempt: 2 });
    await chunksAreDue();
    await queue.hint(id);
    expect(await runtime.job(id)).toMatchObject({ state: 'SUCCEEDED', attempt: 2 });
    expect(await ids()).toEqual([0, 1, 2, 3, 4]);
    const attempts = await runtime.stores.jobs.attempts('default', id, 10);
    expect(attempts.map(({ number, outcome, error }) => [number, outcome, error])).toEqual([
      [1, 'FAILED', { code: 'UNAVAILABLE', message: 'On purpose.' }],
      [2, 'SUCCEEDED', null],
    ]);
  });

  it('is not at fault when one load after the other fails: the job is tried again, and not every part thrice', async () => {
    let loads = 0;
    const { queue } = await aWorker(() => {
      loads += 1;
      return passing();
    });
    const id = await runtime.launch();
    await queue.hint(id);
    expect(await runtime.job(id)).toMatchObject({ state: 'RETRYING', attempt: 1, progress: { rowsLoaded: 0 } });
    expect(loads).toBeLessThanOrEqual(4);
  });

  it('does not come back before the time that the failure asks for', async () => {
    const { queue } = await aWorker((ordinal) => (ordinal === 4 ? passing({ retryAfterMs: 20_000 }) : undefined));
    const id = await runtime.launch();
    await queue.hint(id);
    const { due_in_ms: dueInMs } = (await chunk(id, 4)) ?? {};
    expect(dueInMs).toBeGreaterThan(15_000);
    expect(await runtime.job(id)).toMatchObject({ state: 'RUNNING', progress: { chunksDone: 4 } });
  });

  it('hands the waiting over to its job when that takes long', async () => {
    const id = await runtime.launch();
    const { queue } = await aWorker(async (ordinal) => {
      if (ordinal !== 4) return undefined;
      // The failure stops the other loader, which is to be through with its part.
      await eventually(async () => (await runtime.job(id)).progress.chunksDone === 4);
      return passing({ retryAfterMs: 120_000 });
    });
    await queue.hint(id);
    const job = await runtime.job(id);
    expect(job).toMatchObject({ state: 'RETRYING', progress: { chunksDone: 4 } });
    const waits = `select (extract(epoch from due_at - statement_timestamp()))::int from sluice.job where id = $1`;
    expect((await runtime.column(waits, [id]))[0]).toBeGreaterThan(100);
  });

  it('is given up at once when trying again would change nothing', async () => {
    const { queue } = await aWorker((ordinal) =>
      ordinal === 1 ? new SluiceError('TARGET_NOT_FOUND', 'The target is gone.') : undefined,
    );
    const id = await runtime.launch();
    await queue.hint(id);
    expect(await runtime.job(id)).toMatchObject({ state: 'FAILED', error: { code: 'TARGET_NOT_FOUND' } });
  });
});

describe('a part whose load hangs', () => {
  it('is cancelled after its time, and loaded once whoever has locked the target lets go', async () => {
    await runtime.pool.query('create table target (id bigint, name text)');
    const blocker = await runtime.pool.connect();
    const { queue } = await runtime.worker(partEngine({ parts: [[[1, 'one']]] }), { random: () => 0.5 });
    const id = await runtime.launch({ spec: aPipeline(undefined, { chunkTimeoutMs: 40 }).json });
    try {
      await blocker.query('begin; lock table target in access exclusive mode');
      await queue.hint(id);
      expect(await runtime.job(id)).toMatchObject({ state: 'RUNNING', stage: 'LOADING', progress: { chunksDone: 0 } });
      expect(await chunk(id, 0)).toMatchObject({ failures: 1 });
      expect((await runtime.events(id)).at(-1)?.message).toBe(
        'Part 1 of 1 is tried again in 250 ms: Part 1 was not loaded within 40 ms.',
      );
      const waiting = `select count(*)::int from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
      await eventually(async () => (await runtime.column(waiting))[0] === 0);
    } finally {
      await blocker.query('rollback');
      blocker.release();
    }
    await runtime.pool.query(
      `update sluice.job set spec = jsonb_set(spec, '{options,chunkTimeoutMs}', '60000') where id = $1`,
      [id],
    );
    await chunksAreDue();
    await queue.hint(id);
    expect(await runtime.job(id)).toMatchObject({ state: 'SUCCEEDED', attempt: 1, progress: { rowsLoaded: 1 } });
    expect(await ids()).toEqual([1]);
  });

  it('fails its job when that goes on, as something that stays locked', async () => {
    await runtime.pool.query('create table target (id bigint, name text)');
    const blocker = await runtime.pool.connect();
    try {
      await blocker.query('begin; lock table target in access exclusive mode');
      const { queue } = await runtime.worker(partEngine({ parts: [[[1, 'one']]] }));
      const id = await runtime.launch({ spec: aPipeline(undefined, { chunkTimeoutMs: 20 }).json, maxAttempts: 1 });
      await queue.hint(id);
      expect(await runtime.job(id)).toMatchObject({
        state: 'AWAITING_DECISION',
        error: { code: 'RETRIES_EXHAUSTED', details: { lastCode: 'CHUNK_TIMEOUT' } },
      });
    } finally {
      await blocker.query('rollback');
      blocker.release();
    }
  });
});
