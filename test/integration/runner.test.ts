import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SluiceError } from '../../src/core/errors.js';
import { newId } from '../../src/core/ids.js';
import { cleanUp } from '../../src/jobs/end-attempt.js';
import { LEASE_MS } from '../../src/jobs/heartbeat.js';
import type { SinkClient } from '../../src/jobs/stores.js';
import { eventually } from '../support/eventually.js';
import { gate } from '../support/gate.js';
import { partEngine } from '../support/part-engine.js';
import { aPipeline, aRuntime, type Runtime } from '../support/runtime.js';

let runtime: Runtime;
beforeAll(async () => {
  runtime = await aRuntime();
});
afterEach(async () => {
  await runtime.pool.query('drop table if exists target');
});

const PARTS = [
  [
    [1, 'one'],
    [2, 'two'],
  ],
  [[3, 'three']],
  [[4, 'four']],
] as const;
const engine = partEngine({ parts: PARTS, bad: ['{"id":"x"}'] });
/** What the escalators are told about the job, oldest first. */
const reports = async (id: string) =>
  (
    await runtime.pool.query<Record<string, unknown>>(
      `select kind, source, pipeline, target, owner, code, failure_class, message, details
       from sluice.failure_report where job_id = $1 order by at`,
      [id],
    )
  ).rows;
const stagedFiles = (id: string) => readdir(join(runtime.staging, id)).catch(() => []);
const loadedIds = () => runtime.column('select id::int from target order by id');

describe('a worker', () => {
  it('takes a job from its hint to its target, and tells every step', async () => {
    const { queue } = await runtime.worker(engine);
    const id = await runtime.launch();
    await queue.hint(id);
    const job = await runtime.job(id);
    expect(job).toMatchObject({ state: 'SUCCEEDED', stage: null, attempt: 1, error: null });
    expect(job.progress).toMatchObject({
      rowsRead: 5,
      rowsLoaded: 4,
      rowsQuarantined: 1,
      chunksDone: 4,
      chunksTotal: 4,
    });
    expect(await loadedIds()).toEqual([1, 2, 3, 4]);
    const page = await runtime.stores.quarantine.list('default', { jobId: id }, { first: 10, after: null });
    expect(page.items.map(({ node }) => [node.rowNumber, node.chunk, node.raw])).toEqual([[1, 3, '{"id":"x"}']]);
    const events = await runtime.events(id);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
    expect(events.map(({ kind, state, stage }) => [kind, state, stage])).toEqual([
      ['STATE', 'QUEUED', null],
      ['STATE', 'RUNNING', 'PLANNING'],
      ['STAGE', 'RUNNING', 'EVALUATING'],
      ['STAGE', 'RUNNING', 'LOADING'],
      ...Array.from({ length: 4 }, () => ['CHUNK', 'RUNNING', 'LOADING']),
      ['STAGE', 'RUNNING', 'FINISHING'],
      ['STATE', 'SUCCEEDED', null],
    ]);
    const loaded = events.map(({ progress }) => progress.rowsLoaded);
    expect(loaded).toEqual([...loaded].sort((a, b) => a - b));
    expect(await readdir(runtime.staging)).not.toContain(id);
  });

  it('loads again what a crash of the server has taken out of the staging table, and what it may have taken', async () => {
    await runtime.pool.query('create table target (id bigint, name text)');
    const { attempts } = runtime.stores;
    let crashes = 0;
    const { queue } = await runtime.worker(engine, {
      attempts: {
        ...attempts,
        async enterStage(attempt, stage, message) {
          const seq = await attempts.enterStage(attempt, stage, message);
          if (stage !== 'FINISHING' || crashes === 2) return seq;
          crashes += 1;
          const unlogged = await runtime.column(
            `select format('%I.%I', relnamespace::regnamespace, relname) from pg_class
             where relpersistence = 'u' and relkind = 'r' order by relname`,
          );
          // What crash recovery does to unlogged tables; and whoever tidies up drops one.
          await runtime.pool.query(`${crashes === 1 ? 'truncate' : 'drop table'} ${unlogged.join(', ')}`);
          return seq;
        },
      },
    });
    const { json } = aPipeline({ table: 'target', mode: 'APPEND', staged: true });
    const id = await runtime.launch({ spec: json });
    for (let attempt = 1; attempt <= 3; attempt++) {
      await queue.hint(id);
      if (attempt === 3) break;
      const { state, progress, error } = await runtime.job(id);
      expect([state, progress.rowsLoaded, error?.code]).toEqual(['RETRYING', 0, 'STAGED_ROWS_LOST']);
      await runtime.pool.query('update sluice.job set due_at = statement_timestamp() where id = $1', [id]);
      await runtime.stores.sweep.due(10);
    }
    expect(await runtime.job(id)).toMatchObject({ state: 'SUCCEEDED', attempt: 3, progress: { rowsLoaded: 4 } });
    expect(await loadedIds()).toEqual([1, 2, 3, 4]);
    const page = await runtime.stores.quarantine.list('default', { jobId: id }, { first: 10, after: null });
    expect(page.items).toHaveLength(1);
  });

  it('finishes a job without a single row', async () => {
    const { queue } = await runtime.worker(partEngine({ parts: [] }));
    const id = await runtime.launch();
    await queue.hint(id);
    expect(await runtime.job(id)).toMatchObject({ state: 'SUCCEEDED', progress: { rowsLoaded: 0, chunksTotal: 0 } });
  });

  it('ignores hints for jobs that are done, or that nobody knows', async () => {
    const { queue } = await runtime.worker(engine);
    const id = await runtime.launch();
    await queue.hint(id);
    const before = await runtime.job(id);
    await queue.hint(id);
    await queue.hint(newId());
    expect(await runtime.job(id)).toEqual(before);
    expect(await loadedIds()).toEqual([1, 2, 3, 4]);
  });

  it('is alone with a job that two workers are offered, and the result is that of one', async () => {
    const [a, b] = [await runtime.worker(engine), await runtime.worker(engine)];
    for (let round = 0; round < 10; round++) {
      const id = await runtime.launch();
      await Promise.all([a.queue.hint(id), b.queue.hint(id), b.queue.hint(id)]);
      await eventually(async () => (await runtime.job(id)).state === 'SUCCEEDED');
      const events = await runtime.events(id);
      expect(events.filter(({ message }) => message?.startsWith('Attempt '))).toHaveLength(1);
      expect(events.filter(({ state }) => state === 'SUCCEEDED')).toHaveLength(1);
      expect(await loadedIds()).toEqual([1, 2, 3, 4]);
      await runtime.pool.query('drop table target');
    }
  });

  it('shares the chunks of a large job with others, each loaded once', async () => {
    const parts = Array.from({ length: 40 }, (_, i) => [[i, `row ${i}`]] as const);
    const [a, b, c] = [
      await runtime.worker(partEngine({ parts })),
      await runtime.worker(engine),
      await runtime.worker(engine),
    ];
    const id = await runtime.launch();
    const running = a.queue.hint(id);
    await eventually(
      async () => (await runtime.job(id)).stage === 'LOADING' || (await runtime.job(id)).state === 'SUCCEEDED',
    );
    await Promise.all([running, b.queue.hint(id), c.queue.hint(id)]);
    await eventually(async () => (await runtime.job(id)).state === 'SUCCEEDED');
    expect(await loadedIds()).toEqual(parts.map((_, i) => i));
    expect(a.queue.offers).toContainEqual({ jobId: id, options: { copies: 3, priority: 0 } });
  });

  it('does not disturb another job when one goes wrong in an unexpected way', async () => {
    const bad = await runtime.worker(
      partEngine({ parts: PARTS, before: () => Promise.reject(new TypeError('on purpose')) }),
    );
    const good = await runtime.launch();
    const broken = await runtime.launch();
    const { queue } = await runtime.worker(engine);
    await Promise.all([bad.queue.hint(broken), queue.hint(good)]);
    expect(await runtime.job(good)).toMatchObject({ state: 'SUCCEEDED' });
    // What nobody foresaw is not told to the caller: it goes to the log.
    expect(await runtime.job(broken)).toMatchObject({
      state: 'AWAITING_DECISION',
      error: { code: 'INTERNAL', failureClass: 'CRITICAL_FAILURE', message: 'Something unexpected happened.' },
    });
  });
});

describe('a job that fails', () => {
  it('tells why, keeps the report, and leaves neither rows nor staging behind', async () => {
    const report = [
      {
        ordinal: 0,
        kind: 'range',
        description: 'id between 1 and 3',
        severity: 'FAIL',
        evaluated: 4,
        failed: 1,
        percent: 25,
        status: 'FAILED',
        samples: [],
      },
    ];
    const samples = Array.from({ length: 12 }, (_, i) => `row ${i}`);
    const failing = partEngine({
      parts: PARTS,
      before: () =>
        Promise.reject(
          new SluiceError('EXPECTATION_FAILED', 'One row is too large.', {
            path: ['expectations', 0],
            details: { report, samples },
          }),
        ),
    });
    const { queue } = await runtime.worker(failing);
    const id = await runtime.launch();
    await queue.hint(id);
    expect(await runtime.job(id)).toMatchObject({
      state: 'AWAITING_DECISION',
      finishedAt: null,
      error: {
        code: 'EXPECTATION_FAILED',
        failureClass: 'PIPELINE_DECISION',
        path: ['expectations', 0],
        details: { samples },
      },
    });
    expect(await runtime.stores.reports.list('default', id)).toEqual(report);
    expect(await stagedFiles(id)).toEqual([]);
    expect(await reports(id)).toEqual([
      {
        kind: 'FAILED',
        source: 'JOB',
        pipeline: 'test',
        target: 'default.public.target',
        owner: 'layer-12',
        code: 'EXPECTATION_FAILED',
        failure_class: 'PIPELINE_DECISION',
        message: 'One row is too large.',
        details: { samples: samples.slice(0, 10), stage: 'EVALUATING' },
      },
    ]);
  });

  it('is not published when rows are missing, whoever lost them', async () => {
    for (const claims of [{ rowsRead: 6 }, { rowsGood: 5, rowsRead: 6 }, { rowsQuarantined: 0, rowsFiltered: 1 }]) {
      const { queue, context } = await runtime.worker(partEngine({ parts: PARTS, bad: ['{}'], claims }));
      const id = await runtime.launch({
        spec: aPipeline({ table: 'target', mode: 'REPLACE', createTable: true }).json,
      });
      await queue.hint(id);
      expect(await runtime.job(id)).toMatchObject({
        state: 'AWAITING_DECISION',
        error: { code: 'RECONCILIATION_FAILED', failureClass: 'DATA_CORRUPTION' },
      });
      expect(await reports(id)).toMatchObject([{ kind: 'FAILED', failure_class: 'DATA_CORRUPTION' }]);
      expect(await runtime.column(`select to_regclass('target') is null`)).toEqual([true]);
      // What it has staged goes when it ends, and not before: it may be told to go on.
      await runtime.stores.jobs.requestCancel('default', id);
      expect(await reports(id)).toMatchObject([
        { kind: 'FAILED' },
        { kind: 'RECOVERED', code: 'RECONCILIATION_FAILED', target: 'default.public.target' },
      ]);
      for (const attempt of await runtime.stores.sweep.leftovers(0, 10)) await cleanUp(context, attempt);
      expect(
        await runtime.column(
          `select count(*)::int from pg_class where relname like '%sluice%' and relnamespace = 'public'::regnamespace`,
        ),
      ).toEqual([0]);
    }
  });

  it('is told apart by its constraint, with the row at fault', async () => {
    await runtime.pool.query('create table target (id bigint primary key, name text check (length(name) < 5))');
    const { queue } = await runtime.worker(engine);
    const id = await runtime.launch();
    await queue.hint(id);
    expect(await runtime.job(id)).toMatchObject({
      state: 'AWAITING_DECISION',
      error: { code: 'CONSTRAINT_VIOLATION' },
    });
    expect(await reports(id)).toMatchObject([
      { kind: 'FAILED', code: 'CONSTRAINT_VIOLATION', details: { sqlState: '23514', stage: 'FINISHING' } },
    ]);
    // It is a fact for those who classify; its caller sees the stage in the events.
    expect((await runtime.job(id)).error?.details).not.toHaveProperty('stage');
    expect(await loadedIds()).toEqual([]);
  });

  it('ends as JOB_TIMEOUT when it runs too long', async () => {
    const { wait } = gate();
    const { queue } = await runtime.worker(partEngine({ parts: PARTS, before: wait }));
    const id = await runtime.launch({ timeoutMs: 30 });
    await queue.hint(id);
    expect(await runtime.job(id)).toMatchObject({ state: 'AWAITING_DECISION', error: { code: 'JOB_TIMEOUT' } });
    expect(await reports(id)).toMatchObject([{ kind: 'FAILED', code: 'JOB_TIMEOUT' }]);
  });
});

describe('a failure that passes', () => {
  const flaky = (failures: number) => {
    let left = failures;
    return partEngine({
      parts: PARTS,
      before: async () => {
        if (left-- > 0) throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
      },
    });
  };

  it('is tried again when it is due, and then succeeds', async () => {
    const { queue } = await runtime.worker(flaky(1), { random: () => 0.999 });
    const id = await runtime.launch();
    await queue.hint(id);
    const waiting = await runtime.job(id);
    expect(waiting).toMatchObject({
      state: 'RETRYING',
      attempt: 1,
      error: { code: 'UNAVAILABLE', failureClass: 'TRANSIENT' },
    });
    expect(waiting.dueAt).not.toBeNull();
    expect(await runtime.stores.sweep.due(10)).toEqual([]);
    expect(await runtime.stores.sweep.nextDueMs()).toBeGreaterThan(0);
    await runtime.pool.query(`update sluice.job set due_at = statement_timestamp() where id = $1`, [id]);
    expect(await runtime.stores.sweep.due(10)).toMatchObject([{ jobId: id }]);
    await queue.hint(id);
    expect(await runtime.job(id)).toMatchObject({ state: 'SUCCEEDED', attempt: 2, error: null });
    expect(await loadedIds()).toEqual([1, 2, 3, 4]);
  });

  it('awaits a decision when it comes back on every attempt', async () => {
    const { queue } = await runtime.worker(flaky(99));
    const id = await runtime.launch({ maxAttempts: 2 });
    await queue.hint(id);
    expect(await reports(id)).toEqual([]);
    await runtime.stores.sweep.due(10);
    await queue.hint(id);
    expect(await runtime.job(id)).toMatchObject({ state: 'AWAITING_DECISION', attempt: 2 });
    expect(await reports(id)).toMatchObject([
      {
        ...{ code: 'RETRIES_EXHAUSTED', failure_class: 'CRITICAL_FAILURE' },
        details: { lastCode: 'UNAVAILABLE', stage: 'EVALUATING' },
      },
    ]);
  });

  it('ends as DEAD when it comes back on every attempt and nobody shall be asked', async () => {
    const { queue } = await runtime.worker(flaky(99));
    const spec = aPipeline(undefined, { onFailure: 'FAIL' }).json;
    const id = await runtime.launch({ maxAttempts: 2, spec });
    await queue.hint(id);
    await runtime.stores.sweep.due(10);
    await queue.hint(id);
    expect(await runtime.job(id)).toMatchObject({
      state: 'DEAD',
      attempt: 2,
      error: { code: 'RETRIES_EXHAUSTED', failureClass: 'CRITICAL_FAILURE', details: { lastCode: 'UNAVAILABLE' } },
    });
    expect(await reports(id)).toEqual([]);
  });

  it('goes on with the parts that are left when the connection breaks while loading', async () => {
    let evaluations = 0;
    const counting = partEngine({
      parts: PARTS,
      before: async () => {
        evaluations += 1;
      },
    });
    const context = runtime.context(counting);
    const id = await runtime.launch();
    let kills = 0;
    const { beginCopy } = context.quarantine;
    const { load } = aPipeline().sink;
    const killing = await runtime.worker(counting, {
      quarantine: { ...context.quarantine, beginCopy },
      parsePipeline: (spec) => {
        const pipeline = context.parsePipeline(spec);
        return {
          ...pipeline,
          sink: {
            ...pipeline.sink,
            async load(tx, prepared, part) {
              const rows = await load(tx, prepared, part);
              if (part.ordinal === 1 && kills++ === 0) {
                await runtime.pool.query(`select pg_terminate_backend($1)`, [
                  (await tx.client.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]?.pid,
                ]);
                await tx.client.query('select 1');
              }
              return rows;
            },
          },
        };
      },
    });
    await killing.queue.hint(id);
    expect(kills).toBeGreaterThan(0);
    expect((await runtime.events(id)).map(({ message }) => message)).toContainEqual(
      expect.stringMatching(/^Part 2 of 3 is tried again in 0 ms: /),
    );
    expect(await runtime.job(id)).toMatchObject({ state: 'SUCCEEDED', attempt: 1 });
    expect(evaluations).toBe(1);
    expect(await loadedIds()).toEqual([1, 2, 3, 4]);
  });
});

describe('cancelling', () => {
  const told = async (id: string) => {
    await runtime.stores.jobs.requestCancel('default', id);
    await runtime.bus.publish('cancel', { jobId: id });
  };

  it('ends a queued job at once', async () => {
    const { queue } = await runtime.worker(engine);
    const id = await runtime.launch();
    expect(await runtime.stores.jobs.requestCancel('default', id)).toMatchObject({ state: 'CANCELLED' });
    await queue.hint(id);
    expect(await runtime.job(id)).toMatchObject({ state: 'CANCELLED', attempt: 0 });
  });

  it('ends a job that is being evaluated', async () => {
    const { wait, isReached } = gate();
    const { queue } = await runtime.worker(partEngine({ parts: PARTS, before: wait }));
    const id = await runtime.launch();
    const running = queue.hint(id);
    await isReached;
    await told(id);
    await running;
    expect(await runtime.job(id)).toMatchObject({ state: 'CANCELLED', error: null });
    expect(await readdir(runtime.staging)).not.toContain(id);
  });

  it.each(['ECONNRESET', 'XX000'])('is not forgotten when the attempt fails first, with %s', async (code) => {
    const { wait, open, isReached } = gate();
    const before = async (signal: AbortSignal) => {
      await wait(signal);
      throw Object.assign(new Error('on purpose'), { code });
    };
    const { queue } = await runtime.worker(partEngine({ parts: PARTS, before }));
    const id = await runtime.launch();
    const running = queue.hint(id);
    await isReached;
    await runtime.stores.jobs.requestCancel('default', id);
    open();
    await running;
    expect(await runtime.job(id)).toMatchObject({ state: 'CANCELLED', error: null, dueAt: null });
    expect((await runtime.events(id)).at(-1)).toMatchObject({ state: 'CANCELLED', message: 'The job was cancelled.' });
    expect(await reports(id)).toEqual([]);
  });

  it('ends a job whose run finds no part to load before it is told', async () => {
    const { wait, open, isReached } = gate();
    const { queue } = await runtime.worker(partEngine({ parts: PARTS, before: wait }));
    const id = await runtime.launch();
    const running = queue.hint(id);
    await isReached;
    await runtime.stores.jobs.requestCancel('default', id);
    open();
    await running;
    expect(await runtime.job(id)).toMatchObject({ state: 'CANCELLED', progress: { rowsLoaded: 0 } });
  });

  it('is read from the row: a message of an earlier attempt that comes late ends nothing', async () => {
    const { wait, open, isReached } = gate();
    const { queue } = await runtime.worker(partEngine({ parts: PARTS, before: wait }));
    const id = await runtime.launch();
    const running = queue.hint(id);
    await isReached;
    let isHeard = false;
    const hear = () => {
      isHeard = true;
    };
    const listening = await runtime.bus.subscribe('cancel', hear, hear);
    await runtime.bus.publish('cancel', { jobId: id });
    await eventually(async () => isHeard);
    await listening.stop();
    open();
    await running;
    expect(await runtime.job(id)).toMatchObject({ state: 'SUCCEEDED', attempt: 1 });
  });

  it('ends a job that waits for a lock while loading, and leaves the target as it was', async () => {
    await runtime.pool.query('create table target (id bigint, name text)');
    const blocker = await runtime.pool.connect();
    try {
      await blocker.query('begin; lock table target in access exclusive mode');
      const { queue } = await runtime.worker(partEngine({ parts: PARTS.slice(0, 1) }));
      const id = await runtime.launch();
      const running = queue.hint(id);
      await eventually(async () => (await runtime.job(id)).state === 'RUNNING');
      await eventually(
        async () =>
          (
            await runtime.column(
              `select count(*)::int from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
            )
          )[0] !== 0,
      );
      await told(id);
      await running;
      expect(await runtime.job(id)).toMatchObject({ state: 'CANCELLED', progress: { rowsLoaded: 0 } });
    } finally {
      await blocker.query('rollback');
      blocker.release();
    }
    expect(await loadedIds()).toEqual([]);
  });

  it('is refused for a job that has succeeded, and changes nothing twice', async () => {
    const { queue } = await runtime.worker(engine);
    const done = await runtime.launch();
    await queue.hint(done);
    await expect(runtime.stores.jobs.requestCancel('default', done)).rejects.toMatchObject({
      code: 'STATE_NOT_ALLOWED',
    });
    const id = await runtime.launch();
    const once = await runtime.stores.jobs.requestCancel('default', id);
    expect(await runtime.stores.jobs.requestCancel('default', id)).toEqual(once);
    await expect(runtime.stores.jobs.requestCancel('default', newId())).rejects.toMatchObject({
      code: 'JOB_NOT_FOUND',
    });
    await expect(runtime.stores.jobs.requestCancel('other', id)).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
  });
});

describe('a worker that stops', () => {
  it('hands back what it evaluates without using up an attempt', async () => {
    const { wait, isReached } = gate();
    const { queue, runner } = await runtime.worker(partEngine({ parts: PARTS, before: wait }));
    const id = await runtime.launch();
    const running = queue.hint(id);
    await isReached;
    await runner.stop();
    await running;
    expect(await runtime.job(id)).toMatchObject({ state: 'QUEUED', attempt: 0 });
    expect(queue.offers).toMatchObject([{ jobId: id }]);
    const { queue: other } = await runtime.worker(engine);
    await other.hint(id);
    expect(await runtime.job(id)).toMatchObject({ state: 'SUCCEEDED', attempt: 1 });
  });

  it('ends a job that was told to stop, instead of handing back what nobody would take', async () => {
    const id = await runtime.launch();
    const attempt = await runtime.stores.attempts.claim(id, newId(), 'stopping', LEASE_MS);
    if (!attempt) throw new Error('not claimed');
    await runtime.stores.jobs.requestCancel('default', id);
    await runtime.stores.attempts.end(attempt, { transition: 'RELEASE', message: 'The worker stops.' });
    expect(await runtime.job(id)).toMatchObject({ state: 'CANCELLED', attempt: 1 });
    expect((await runtime.events(id)).at(-1)).toMatchObject({ state: 'CANCELLED', message: 'The job was cancelled.' });
  });
});

describe('fencing', () => {
  it('lets a stale worker change nothing once its chunk was taken over', async () => {
    await runtime.pool.query('create table target (id bigint, name text)');
    const { queue } = await runtime.worker(engine);
    const id = await runtime.launch();
    const { attempts, chunks } = runtime.stores;
    const context = runtime.context(engine);
    const stale = await attempts.claim(id, newId(), 'stale', LEASE_MS);
    if (!stale) throw new Error('not claimed');
    const dir = await context.staging.create(id, stale.token);
    const pipeline = aPipeline();
    const evaluation = await engine.evaluate({
      pipeline,
      stagingDir: dir,
      signal: new AbortController().signal,
      withSinkClient: (work) => runtime.stores.connections.withClient(null, work),
    });
    await chunks.insertParts(stale, evaluation, (client) =>
      pipeline.sink.prepare(client, { id }, evaluation.output, context.files),
    );
    const lost = await chunks.claimNext(id, newId(), 'stale', LEASE_MS);
    if (!lost) throw new Error('no chunk');
    // Its lease runs out while it is away.
    await runtime.pool.query(
      "update sluice.chunk set lease_until = statement_timestamp() - interval '1 s' where lease_token = $1",
      [lost.token],
    );
    await queue.hint(id);
    expect(await runtime.job(id)).toMatchObject({ state: 'SUCCEEDED' });
    const events = await runtime.events(id);
    await expect(
      chunks.commitLoaded(lost, new AbortController().signal, async (client) => {
        await client.query(`insert into target values (99, 'stale')`);
        return { rows: 1, recheck: null };
      }),
    ).rejects.toMatchObject({ code: 'LEASE_LOST' });
    await expect(attempts.enterStage(stale, 'EVALUATING', 'late')).rejects.toMatchObject({ code: 'LEASE_LOST' });
    expect(await attempts.end(stale, { transition: 'FAIL', message: 'late' })).toBeNull();
    expect(await loadedIds()).toEqual([1, 2, 3, 4]);
    expect(await runtime.events(id)).toEqual(events);
  });

  it('lets a stale worker change nothing while its successor is still at work', async () => {
    await runtime.pool.query('create table target (id bigint, name text)');
    const id = await runtime.launch();
    const { attempts, chunks, sweep } = runtime.stores;
    const stale = await attempts.claim(id, newId(), 'stale', LEASE_MS);
    await runtime.pool.query(`update sluice.job set lease_until = statement_timestamp() where id = $1`, [id]);
    await sweep.takeOver(5, 60_000, 10);
    const current = await attempts.claim(id, newId(), 'current', LEASE_MS);
    if (!stale || !current) throw new Error('not claimed');
    const pipeline = aPipeline();
    const evaluation = await engine.evaluate({
      pipeline,
      stagingDir: await runtime.context(engine).staging.create(id, current.token),
      signal: new AbortController().signal,
      withSinkClient: (work) => runtime.stores.connections.withClient(null, work),
    });
    await expect(chunks.insertParts(stale, evaluation, async () => ({}))).rejects.toMatchObject({ code: 'LEASE_LOST' });
    await chunks.insertParts(current, evaluation, async () => ({}));
    const lost = await chunks.claimNext(id, stale.token, 'stale', LEASE_MS);
    await runtime.pool.query(
      `update sluice.chunk set lease_until = statement_timestamp() where lease_token is not null`,
    );
    const retaken = await chunks.claimNext(id, current.token, 'current', LEASE_MS);
    if (!lost || !retaken) throw new Error('no chunk');
    expect(retaken.part).toEqual(lost.part);
    // A heartbeat passes over the chunk whose commit has locked it: waiting for it here would never end.
    const commit = await runtime.pool.connect();
    await commit.query('begin');
    await commit.query(`select from sluice.chunk where job_id = $1 for update`, [id]);
    expect(await attempts.renew([current.token], [id], LEASE_MS)).toMatchObject([{ token: current.token }]);
    await commit.query('rollback');
    commit.release();
    const before = await runtime.job(id);
    const load = (name: string) => async (client: SinkClient) => {
      await client.query('insert into target values (1, $1)', [name]);
      return { rows: 1, recheck: null };
    };
    const { signal } = new AbortController();
    await expect(chunks.commitLoaded(lost, signal, load('stale'))).rejects.toMatchObject({ code: 'LEASE_LOST' });
    expect(await attempts.end(stale, { transition: 'FAIL', message: 'late' })).toBeNull();
    expect(await chunks.finish(stale, signal, async () => null)).toBe(false);
    expect({ ...(await runtime.job(id)), progress: null }).toEqual({ ...before, progress: null });
    expect(await chunks.commitLoaded(retaken, signal, load('current'))).toMatchObject({ chunksDone: 1 });
    expect(await runtime.column('select name from target')).toEqual(['current']);
  });

  it('gives one chunk to one of many that ask at once', async () => {
    const parts = Array.from({ length: 30 }, (_, i) => [[i, 'x']] as const);
    const many = partEngine({ parts });
    const id = await runtime.launch();
    const attempt = await runtime.stores.attempts.claim(id, newId(), 'a', LEASE_MS);
    if (!attempt) throw new Error('not claimed');
    const context = runtime.context(many);
    const pipeline = aPipeline();
    const evaluation = await many.evaluate({
      pipeline,
      stagingDir: await context.staging.create(id, attempt.token),
      signal: new AbortController().signal,
      withSinkClient: (work) => runtime.stores.connections.withClient(null, work),
    });
    await runtime.stores.chunks.insertParts(attempt, evaluation, async () => ({}));
    const claims = await Promise.all(
      Array.from({ length: 60 }, (_, i) => runtime.stores.chunks.claimNext(id, newId(), `w${i}`, LEASE_MS)),
    );
    const claimed = claims.flatMap((chunk) => (chunk ? [chunk.part.ordinal] : []));
    expect(new Set(claimed).size).toBe(claimed.length);
    // SKIP LOCKED may pass over a row that another is about to claim; nobody gets one twice.
    expect(claimed.length).toBeGreaterThan(0);
  });
});
