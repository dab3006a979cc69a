import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { JobActions } from '../../escalation/ports.js';
import { SluiceError } from '../../src/core/errors.js';
import { newId } from '../../src/core/ids.js';
import type { Engine } from '../../src/engine/engine.js';
import type { Pipeline } from '../../src/engine/pipeline.js';
import { LEASE_MS } from '../../src/jobs/heartbeat.js';
import { engineHome } from '../support/engine-home.js';
import type { HandQueue } from '../support/hand-queue.js';
import { actionsOf, aVerdict, reportsOf } from '../support/held-job.js';
import { partEngine } from '../support/part-engine.js';
import { aPipeline, aRuntime, type Runtime } from '../support/runtime.js';

let runtime: Runtime;
let actions: JobActions;
let decided: HandQueue;
let duckdb: Engine;
beforeAll(async () => {
  runtime = await aRuntime();
  duckdb = (await engineHome()).engine;
  const { connections } = runtime.stores;
  const check = (pipeline: Pipeline) =>
    duckdb.check(pipeline, (work) => connections.withClient(pipeline.sink.connection, work));
  ({ actions, queue: decided } = actionsOf(runtime, check));
});
afterEach(() => runtime.pool.query('drop table if exists target, other'));

const PARTS = [[[1, 'one']], [[2, 'two']], [[3, 'three']]] as const;
const good = partEngine({ parts: PARTS, bad: ['{"id":"x"}'] });
const failing = (code: 'EXPECTATION_FAILED' | 'SOURCE_CHANGED' = 'EXPECTATION_FAILED') =>
  partEngine({ parts: PARTS, before: () => Promise.reject(new SluiceError(code, 'On purpose.')) });
const loadedIds = () => runtime.column('select id::int from target order by id');
const messagesOf = async (id: string) => (await runtime.events(id)).map(({ message }) => message ?? '');

/** A job that failed before anything of it was loaded. */
async function heldJob(changes: Parameters<Runtime['launch']>[0] = {}): Promise<string> {
  const { queue } = await runtime.worker(failing());
  const id = await runtime.launch(changes);
  await queue.hint(id);
  expect(await runtime.job(id)).toMatchObject({ state: 'AWAITING_DECISION' });
  return id;
}

/** A job that failed for good with two of its rows loaded. */
async function heldHalfWay(sink: object): Promise<string> {
  const { chunks } = runtime.stores;
  const { parsePipeline } = runtime.context(good);
  // One part after the other: of two loaders the one that fails would stop the other anywhere.
  let turn = Promise.resolve<unknown>(undefined);
  const { queue } = await runtime.worker(good, {
    parsePipeline(spec) {
      const pipeline = parsePipeline(spec);
      const load: typeof pipeline.sink.load = async (tx, prepared, part) => {
        if (part.ordinal < 2) return pipeline.sink.load(tx, prepared, part);
        throw new SluiceError('TARGET_INCOMPATIBLE', 'The target has changed while the job ran.');
      };
      return { ...pipeline, sink: { ...pipeline.sink, load } };
    },
    chunks: {
      ...chunks,
      commitLoaded(chunk, signal, load) {
        const mine = turn.then(() => chunks.commitLoaded(chunk, signal, load));
        turn = mine.catch(() => undefined);
        return mine;
      },
    },
  });
  const id = await runtime.launch({ spec: aPipeline(sink).json });
  await queue.hint(id);
  expect(await runtime.job(id)).toMatchObject({ state: 'AWAITING_DECISION', progress: { rowsLoaded: 2 } });
  return id;
}

/** Gives the job to a worker that has nothing wrong with it. */
async function goOn(id: string, engine: Engine = good): Promise<void> {
  const { queue } = await runtime.worker(engine);
  await queue.hint(id);
}

describe('a held job', () => {
  it('is reported once, kept by the sweeper, claimed by nobody, and ends with a report of its own', async () => {
    const id = await heldJob();
    await goOn(id);
    expect(await runtime.job(id)).toMatchObject({ state: 'AWAITING_DECISION' });
    expect(await reportsOf(runtime.pool, id)).toEqual([
      { kind: 'FAILED', code: 'EXPECTATION_FAILED', target: 'default.public.target' },
    ]);
    await runtime.stores.jobs.requestCancel('default', id);
    expect(await reportsOf(runtime.pool, id)).toMatchObject([
      { kind: 'FAILED' },
      { kind: 'RECOVERED', code: 'EXPECTATION_FAILED', target: 'default.public.target' },
    ]);
  });

  it('is no such thing when its options say that nobody shall be asked', async () => {
    const { queue } = await runtime.worker(failing());
    const id = await runtime.launch({ spec: aPipeline(undefined, { onFailure: 'FAIL' }).json });
    await queue.hint(id);
    expect(await runtime.job(id)).toMatchObject({ state: 'FAILED', error: { code: 'EXPECTATION_FAILED' } });
    expect(await reportsOf(runtime.pool, id)).toEqual([]);
  });

  it('is the only kind that is reported at its end', async () => {
    const { queue } = await runtime.worker(good);
    const id = await runtime.launch();
    await queue.hint(id);
    expect(await runtime.job(id)).toMatchObject({ state: 'SUCCEEDED' });
    expect(await reportsOf(runtime.pool, id)).toEqual([]);
  });

  it('tells what it knows of itself', async () => {
    const id = await heldHalfWay({ table: 'target', mode: 'REPLACE', createTable: true });
    const evidence = await actions.evidence('default', id);
    expect(evidence).toMatchObject({
      id,
      state: 'AWAITING_DECISION',
      stage: 'LOADING',
      target: 'default.public.target',
      spec: (await runtime.job(id)).spec,
      error: { code: 'TARGET_INCOMPATIBLE' },
      attempt: 1,
      counters: { rows_loaded: 2, chunks_total: 4 },
      worker: expect.stringMatching(/^test:/),
      specHash: expect.any(String),
    });
    expect(evidence?.events).toHaveLength((await runtime.events(id)).length);
    expect(JSON.parse(JSON.stringify(evidence))).toEqual(evidence);
    expect(await actions.evidence('other', id)).toBeNull();
    expect(await actions.evidence('default', 'no id')).toBeNull();
  });
});

describe('a verdict', () => {
  it('RETRY begins anew, with a new set of attempts', async () => {
    const id = await heldJob({ maxAttempts: 1 });
    const verdict = aVerdict('RETRY', { comment: 'The file is complete now.' });
    expect(await actions.apply('default', id, verdict)).toEqual({ outcome: 'APPLIED' });
    expect(await runtime.job(id)).toMatchObject({ state: 'QUEUED', attempt: 0, error: null });
    expect(decided.offers.at(-1)).toMatchObject({ jobId: id });
    expect((await messagesOf(id)).at(-1)).toBe(
      'layer-20 decided RETRY. The job begins anew. layer-20 says: The file is complete now.',
    );
    await goOn(id);
    expect(await runtime.job(id)).toMatchObject({ state: 'SUCCEEDED', attempt: 1 });
    expect(await loadedIds()).toEqual([1, 2, 3]);
    expect(await reportsOf(runtime.pool, id)).toMatchObject([{ kind: 'FAILED' }, { kind: 'RECOVERED' }]);
  });

  it('RETRY drops what was staged, so that nothing is loaded twice', async () => {
    const id = await heldHalfWay({ table: 'target', mode: 'REPLACE', createTable: true });
    expect(await actions.apply('default', id, aVerdict('RETRY'))).toEqual({ outcome: 'APPLIED' });
    expect(await runtime.job(id)).toMatchObject({ progress: { rowsLoaded: 0, rowsQuarantined: 0, chunksTotal: null } });
    await goOn(id);
    expect(await runtime.job(id)).toMatchObject({
      state: 'SUCCEEDED',
      progress: { rowsLoaded: 3, rowsQuarantined: 1 },
    });
    expect(await loadedIds()).toEqual([1, 2, 3]);
    const page = await runtime.stores.quarantine.list('default', { jobId: id }, { first: 10, after: null });
    expect(page.totalCount).toBe(1);
  });

  it('RETRY is refused when rows are in the target already; RESUME goes on with the others', async () => {
    await runtime.pool.query('create table target (id bigint, name text)');
    const id = await heldHalfWay({ table: 'target', mode: 'APPEND' });
    expect(await loadedIds()).toEqual([1, 2]);
    expect(await actions.apply('default', id, aVerdict('RETRY'))).toEqual({
      outcome: 'FAILED',
      reason:
        'Rows of the job are in its target already, and beginning anew would load them twice: decide RESUME or ABORT.',
    });
    expect(await runtime.job(id)).toMatchObject({ state: 'AWAITING_DECISION', progress: { rowsLoaded: 2 } });
    expect(await actions.apply('default', id, aVerdict('RESUME'))).toEqual({ outcome: 'APPLIED' });
    await goOn(id);
    expect(await runtime.job(id)).toMatchObject({ state: 'SUCCEEDED', progress: { rowsLoaded: 3 } });
    expect(await loadedIds()).toEqual([1, 2, 3]);
  });

  it('RESUME goes on with the parts that are left, without evaluating again', async () => {
    const id = await heldHalfWay({ table: 'target', mode: 'REPLACE', createTable: true });
    expect(await actions.apply('default', id, aVerdict('RESUME'))).toEqual({ outcome: 'APPLIED' });
    await goOn(id, failing());
    expect(await runtime.job(id)).toMatchObject({ state: 'SUCCEEDED', attempt: 1, progress: { rowsLoaded: 3 } });
    expect(await loadedIds()).toEqual([1, 2, 3]);
    const loaded = (await runtime.events(id)).map(({ progress }) => progress.rowsLoaded);
    expect(loaded).toEqual([...loaded].sort((a, b) => a - b));
  });

  it('RESUME gives a job more time that ran out of it', async () => {
    const id = await heldJob({ timeoutMs: 60_000 });
    await runtime.pool.query(
      `update sluice.job set started_at = statement_timestamp() - interval '1 h' where id = $1`,
      [id],
    );
    await actions.apply('default', id, aVerdict('RESUME'));
    await goOn(id);
    expect(await runtime.job(id)).toMatchObject({ state: 'SUCCEEDED' });
  });

  it('ABORT ends it with the error that it had', async () => {
    const id = await heldHalfWay({ table: 'target', mode: 'REPLACE', createTable: true });
    expect(await actions.apply('default', id, aVerdict('ABORT'))).toEqual({ outcome: 'APPLIED' });
    expect(await runtime.job(id)).toMatchObject({ state: 'FAILED', error: { code: 'TARGET_INCOMPATIBLE' } });
    expect((await runtime.job(id)).finishedAt).not.toBeNull();
    expect(await reportsOf(runtime.pool, id)).toMatchObject([{ kind: 'FAILED' }, { kind: 'RECOVERED' }]);
    expect((await runtime.stores.sweep.leftovers(0, 1_000)).map(({ job }) => job.id)).toContain(id);
    expect(await runtime.stores.sweep.ended([id])).toEqual([id]);
  });

  it('PAUSE_TARGET leaves it held, with an event that is no further failure', async () => {
    const id = await heldJob();
    const before = await runtime.events(id);
    expect(await actions.apply('default', id, aVerdict('PAUSE_TARGET'))).toEqual({ outcome: 'APPLIED' });
    const [event] = (await runtime.events(id)).slice(before.length);
    expect(event).toMatchObject({ kind: 'STAGE', state: 'AWAITING_DECISION' });
    expect(await reportsOf(runtime.pool, id)).toHaveLength(1);
  });
});

const rows = [
  { id: 1, name: 'one' },
  { id: 2, name: null },
  { id: 3, name: 'three' },
];

describe('a verdict that changes the spec', () => {
  const held = async (spec: object) => {
    const id = await runtime.launch({ spec: runtime.context(duckdb).parsePipeline(spec).json });
    await goOn(id, duckdb);
    expect(await runtime.job(id)).toMatchObject({ state: 'AWAITING_DECISION' });
    return id;
  };
  const sink = { postgres: { table: 'target', mode: 'APPEND', createTable: true } };
  const source = { records: { rows } };
  const patchesOf = (id: string) => runtime.column('select spec_patches from sluice.job where id = $1', [id]);

  it('PATCH_SPEC mends a job whose target has drifted', async () => {
    await runtime.pool.query('create table target (id bigint, full_name text)');
    const id = await held({ source, sink: { postgres: { table: 'target', mode: 'APPEND' } } });
    expect(await runtime.job(id)).toMatchObject({ error: { code: 'TARGET_INCOMPATIBLE' } });
    const patch = { steps: [{ rename: { columns: [{ from: 'name', to: 'full_name' }] } }] };
    const verdict = aVerdict('PATCH_SPEC', { patch });
    expect(await actions.apply('default', id, verdict)).toEqual({ outcome: 'APPLIED' });
    expect(await patchesOf(id)).toEqual([[{ verdictId: verdict.id, kind: 'PATCH_SPEC', agent: 'layer-20', patch }]]);
    await goOn(id, duckdb);
    expect(await runtime.job(id)).toMatchObject({ state: 'SUCCEEDED', progress: { rowsLoaded: 3 } });
    expect(await runtime.column('select full_name from target order by id')).toEqual(['one', null, 'three']);
  });

  it('PATCH_SPEC may lead to another target, and change what the row keeps of the options', async () => {
    await runtime.pool.query('create table target (id bigint, full_name text)');
    const id = await held({
      source,
      sink: { postgres: { table: 'target', mode: 'APPEND' } },
      options: { timeoutMs: 1e9 },
    });
    const patch = {
      sink: { postgres: { table: 'other', createTable: true } },
      options: { maxAttempts: 9, timeoutMs: null },
    };
    await actions.apply('default', id, aVerdict('PATCH_SPEC', { patch }));
    const columns = 'select target, max_attempts, timeout_ms from sluice.job where id = $1';
    expect((await runtime.pool.query(columns, [id])).rows).toEqual([
      { target: 'default.public.other', max_attempts: 9, timeout_ms: null },
    ]);
    await goOn(id, duckdb);
    expect(await runtime.column('select id::int from other order by id')).toEqual([1, 2, 3]);
    // The one that was asked about is the one that has recovered.
    expect(await reportsOf(runtime.pool, id)).toMatchObject([
      { kind: 'FAILED', target: 'default.public.target' },
      { kind: 'RECOVERED', target: 'default.public.target' },
    ]);
  });

  it.each([
    ['nothing that could be launched', { sink: null }, /expected/i],
    ['an unknown member', { options: { nothing: 1 } }, /nothing/],
    ['two sources', { source: { csv: { uri: 'file:x.csv' } } }, /exactly one/],
    ['a text that cannot be stored', { steps: [{ filter: { expression: "name <> '\0'" } }] }, /NUL/],
    ['a column that nobody has', { steps: [{ drop: { columns: ['nothing'] } }] }, /nothing/],
    ['a connection that nobody has', { sink: { postgres: { connection: 'nowhere' } } }, /no connection nowhere/],
    ['no object', [], /JSON object/],
    ['nothing', null, /JSON object/],
  ])('PATCH_SPEC with %s fails with the reason, and the job stays held', async (_, patch, reason) => {
    const id = await heldJob();
    const before = await runtime.job(id);
    const answer = await actions.apply('default', id, aVerdict('PATCH_SPEC', { patch }));
    expect(answer).toEqual({ outcome: 'FAILED', reason: expect.stringMatching(reason) });
    expect(await runtime.job(id)).toEqual(before);
    expect(await patchesOf(id)).toEqual([[]]);
  });

  it('SKIP_ROWS sets rows aside beyond the error budget', async () => {
    const casting = { steps: [{ cast: { columns: [{ name: 'name', type: 'INTEGER' }] } }] };
    const id = await held({ source, sink, ...casting, options: { errorBudget: { count: 0 } } });
    expect(await runtime.job(id)).toMatchObject({ error: { code: 'ERROR_BUDGET_EXCEEDED' } });
    expect(await actions.apply('default', id, aVerdict('SKIP_ROWS'))).toEqual({ outcome: 'APPLIED' });
    await goOn(id, duckdb);
    expect(await runtime.job(id)).toMatchObject({
      state: 'SUCCEEDED',
      progress: { rowsLoaded: 1, rowsQuarantined: 2 },
    });
  });

  it('QUARANTINE_AND_CONTINUE sets rows aside that fail expectations, and only warns about their number', async () => {
    const expectations = [
      { notNull: { column: 'name' }, severity: 'FAIL' },
      { rowCount: { min: 100 }, severity: 'FAIL' },
    ];
    const id = await held({ source, sink, expectations, options: { errorBudget: { count: 0 } } });
    expect(await runtime.stores.reports.list('default', id)).toHaveLength(2);
    expect(await actions.apply('default', id, aVerdict('QUARANTINE_AND_CONTINUE'))).toEqual({ outcome: 'APPLIED' });
    expect(await runtime.stores.reports.list('default', id)).toEqual([]);
    await goOn(id, duckdb);
    expect(await runtime.job(id)).toMatchObject({
      state: 'SUCCEEDED',
      progress: { rowsLoaded: 2, rowsQuarantined: 1 },
    });
    expect(await runtime.stores.reports.list('default', id)).toMatchObject([
      { kind: 'notNull', status: 'QUARANTINED' },
      { kind: 'rowCount', status: 'WARNED' },
    ]);
  });
});

describe('a verdict acts once', () => {
  it('however often it is asked for, and answers the same', async () => {
    const id = await heldJob();
    const verdict = aVerdict('RETRY');
    await actions.apply('default', id, verdict);
    const before = await runtime.job(id);
    expect(await actions.apply('default', id, verdict)).toEqual({ outcome: 'APPLIED' });
    expect(await runtime.job(id)).toEqual(before);
    // Also when the job is held again, for the same or another reason.
    await goOn(id, failing('SOURCE_CHANGED'));
    expect(await actions.apply('default', id, verdict)).toEqual({ outcome: 'APPLIED' });
    expect(await runtime.job(id)).toMatchObject({ state: 'AWAITING_DECISION' });
    expect(await reportsOf(runtime.pool, id)).toMatchObject([
      { code: 'EXPECTATION_FAILED' },
      { code: 'SOURCE_CHANGED' },
    ]);
  });

  it('when ten ask at the same time', async () => {
    const id = await heldJob();
    const verdict = aVerdict('RETRY');
    const answers = await Promise.all(Array.from({ length: 10 }, () => actions.apply('default', id, verdict)));
    expect(answers).toEqual(Array.from({ length: 10 }, () => ({ outcome: 'APPLIED' })));
    expect((await messagesOf(id)).filter((message) => message.includes('decided RETRY'))).toHaveLength(1);
  });

  it('when ten different ones ask at the same time, one of them', async () => {
    const id = await heldJob();
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, i) => actions.apply('default', id, aVerdict(i % 2 === 0 ? 'RETRY' : 'ABORT'))),
    );
    expect(answers.filter(({ outcome }) => outcome === 'APPLIED')).toHaveLength(1);
    expect((await messagesOf(id)).filter((message) => message.includes(' decided '))).toHaveLength(1);
  });

  it('when its process dies before the commit, and when it dies after it', async () => {
    const id = await heldJob();
    const verdict = aVerdict('RETRY');
    // The last statement of the transaction fails as with a connection that breaks: nothing has happened.
    await runtime.pool.query(`create function break_connection() returns trigger language plpgsql as
      $$ begin perform pg_terminate_backend(pg_backend_pid()); return new; end $$`);
    await runtime.pool.query(
      'create trigger break_down before insert on sluice.job_event for each row execute function break_connection()',
    );
    const before = await runtime.job(id);
    await expect(actions.apply('default', id, verdict)).rejects.toThrow();
    await runtime.pool.query('drop trigger break_down on sluice.job_event');
    expect(await runtime.job(id)).toEqual(before);
    expect(
      await runtime.column('select count(*)::int from sluice.verdict_effect where verdict_id = $1', [verdict.id]),
    ).toEqual([0]);
    // Another process carries it out and dies before it can tell anybody; a third one asks.
    const mute = actionsOf(runtime);
    await mute.actions.apply('default', id, verdict);
    await goOn(id);
    expect(await runtime.job(id)).toMatchObject({ state: 'SUCCEEDED' });
    expect(await actions.apply('default', id, verdict)).toEqual({ outcome: 'APPLIED' });
    expect((await messagesOf(id)).filter((message) => message.includes(' decided '))).toHaveLength(1);
  });

  it('is not undone by a queue that does not answer', async () => {
    const id = await heldJob();
    const lost = actionsOf(runtime);
    lost.queue.offer = () => Promise.reject(new Error('away'));
    expect(await lost.actions.apply('default', id, aVerdict('RETRY'))).toEqual({ outcome: 'APPLIED' });
    await runtime.pool.query(`update sluice.job set updated_at = updated_at - interval '1 min' where id = $1`, [id]);
    expect((await runtime.stores.sweep.queued(5_000, 1_000)).map(({ jobId }) => jobId)).toContain(id);
  });

  it('fails with the reason when there is nothing to decide, and keeps that answer', async () => {
    const id = await runtime.launch();
    const verdict = aVerdict('ABORT');
    const refused = { outcome: 'FAILED', reason: 'The job is QUEUED and awaits no decision.' };
    expect(await actions.apply('default', id, verdict)).toEqual(refused);
    await goOn(id, failing());
    expect(await actions.apply('default', id, verdict)).toEqual(refused);
    expect(await runtime.job(id)).toMatchObject({ state: 'AWAITING_DECISION' });
    const stranger = newId();
    for (const [tenant, job] of [
      ['other', id],
      ['default', stranger],
      ['default', 'no id'],
    ] as const) {
      expect(await actions.apply(tenant, job, aVerdict('RETRY'))).toEqual({
        outcome: 'FAILED',
        reason: `There is no job ${job}.`,
      });
    }
  });
});

describe('a paused target', () => {
  it('holds back the jobs that would write to it, and lets them go when no escalation pauses it any more', async () => {
    const target = 'default.public.target';
    const [one, two] = [newId(), newId()];
    for (const escalation of [one, one, two]) await actions.pauseTarget('default', target, escalation);
    const waiting = await runtime.launch();
    const elsewhere = await runtime.launch({ spec: aPipeline({ table: 'other', createTable: true }).json });
    const { queue } = await runtime.worker(good);
    const stateOf = async (id: string) => {
      await queue.hint(id);
      return (await runtime.job(id)).state;
    };
    expect(await stateOf(waiting)).toBe('QUEUED');
    expect(await runtime.job(waiting)).toMatchObject({ attempt: 0 });
    expect(await stateOf(elsewhere)).toBe('SUCCEEDED');
    await runtime.pool.query(`update sluice.job set updated_at = updated_at - interval '1 min' where id = $1`, [
      waiting,
    ]);
    const offered = async () => (await runtime.stores.sweep.queued(5_000, 1_000)).map(({ jobId }) => jobId);
    expect(await offered()).not.toContain(waiting);
    await actions.releaseTarget('default', target, one);
    expect(await stateOf(waiting)).toBe('QUEUED');
    await actions.releaseTarget('other', target, two);
    expect(await stateOf(waiting)).toBe('QUEUED');
    const before = decided.offers.length;
    await actions.releaseTarget('default', target, two);
    expect(decided.offers.slice(before).map(({ jobId }) => jobId)).toContain(waiting);
    expect(await offered()).toContain(waiting);
    expect(await stateOf(waiting)).toBe('SUCCEEDED');
  });

  it('does not stop what is being loaded', async () => {
    const id = await runtime.launch();
    const attempt = await runtime.stores.attempts.claim(id, newId(), 'test', LEASE_MS);
    await actions.pauseTarget('default', 'default.public.target', id);
    expect(attempt && (await runtime.stores.attempts.enterStage(attempt, 'EVALUATING', 'goes on'))).toBeGreaterThan(0);
    await actions.releaseTarget('default', 'default.public.target', id);
  });
});
