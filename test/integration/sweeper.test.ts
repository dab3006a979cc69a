import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../src/core/ids.js';
import { LEASE_MS } from '../../src/jobs/heartbeat.js';
import { startSweeper } from '../../src/jobs/sweeper.js';
import { eventually } from '../support/eventually.js';
import { partEngine } from '../support/part-engine.js';
import { aPipeline, aRuntime, type Runtime } from '../support/runtime.js';

let runtime: Runtime;
beforeAll(async () => {
  runtime = await aRuntime();
});
afterEach(async () => {
  await runtime.pool.query('drop table if exists target; delete from sluice.job');
});

const engine = partEngine({ parts: [[[1, 'a']], [[2, 'b']], [[3, 'c']]] });
const ids = () => runtime.column('select id::int from target order by id');
const past = (column: string, id: string, interval = '1 h') =>
  runtime.pool.query(`update sluice.job set ${column} = statement_timestamp() - $2::interval where id = $1`, [
    id,
    interval,
  ]);

/** A sweeper that hands what it offers to a worker. */
async function aSweeper() {
  const { context, queue } = await runtime.worker(engine);
  const sweeper = startSweeper(
    {
      ...context,
      queue: {
        ...queue,
        async offerAll(offers) {
          for (const { jobId } of offers) await queue.hint(jobId);
        },
      },
    },
    runtime.stores.sweep,
  );
  return sweeper;
}

async function sweepUntil(condition: () => Promise<boolean>): Promise<void> {
  const sweeper = await aSweeper();
  try {
    await eventually(async () => {
      sweeper.wake();
      return condition();
    });
  } finally {
    await sweeper.stop();
  }
}
const ended = (id: string) => async () => (await runtime.job(id)).state === 'SUCCEEDED';

/** What a worker that was killed leaves: a claimed job, evaluated or not, and perhaps a claimed chunk. */
async function abandoned({ loading }: { loading: boolean }) {
  const id = await runtime.launch();
  const { attempts, chunks } = runtime.stores;
  const attempt = await attempts.claim(id, newId(), 'killed', LEASE_MS);
  if (!attempt) throw new Error('not claimed');
  const context = runtime.context(engine);
  const stagingDir = await context.staging.create(id, attempt.token);
  if (!loading) return { id, attempt };
  const pipeline = aPipeline();
  const evaluation = await engine.evaluate({
    pipeline,
    stagingDir,
    signal: new AbortController().signal,
    withSinkClient: (work) => runtime.stores.connections.withClient(null, work),
  });
  const prepared = await chunks.insertParts(attempt, evaluation, (client) =>
    pipeline.sink.prepare(client, { id }, evaluation.output, context.files),
  );
  const load = async () => {
    const chunk = await chunks.claimNext(id, attempt.token, 'killed', LEASE_MS);
    if (!chunk) throw new Error('no chunk');
    const { signal } = new AbortController();
    await chunks.commitLoaded(chunk, signal, (client) => pipeline.sink.load({ client, signal }, prepared, chunk.part));
  };
  return { id, attempt, load };
}

describe('the sweeper', () => {
  it('offers a job again whose hint was lost', async () => {
    const id = await runtime.launch();
    expect(await runtime.stores.sweep.queued(5_000, 10)).toEqual([]);
    await past('updated_at', id);
    await sweepUntil(ended(id));
  });

  it('takes a job over whose worker was killed while evaluating, without using up an attempt', async () => {
    const { id } = await abandoned({ loading: false });
    expect(await runtime.stores.sweep.takeOver(5, 60_000, 10)).toEqual([]);
    await past('lease_until', id);
    await sweepUntil(ended(id));
    expect(await runtime.job(id)).toMatchObject({ attempt: 1 });
    expect(await ids()).toEqual([1, 2, 3]);
  });

  it('gives a job up that takes every worker down with it', async () => {
    const { id } = await abandoned({ loading: false });
    await past('lease_until', id);
    await runtime.pool.query('update sluice.job set takeovers = 2 where id = $1', [id]);
    const [one, two] = await Promise.all([1, 2].map(() => runtime.stores.sweep.takeOver(3, 60_000, 10)));
    expect([one, two]).toEqual([[], []]);
    expect(await runtime.job(id)).toMatchObject({
      state: 'DEAD',
      error: {
        code: 'POISON',
        failureClass: 'CRITICAL_FAILURE',
        message: expect.stringMatching(/^3 workers in a row/),
      },
    });
    // And leaves it alone from then on.
    expect(await runtime.stores.sweep.takeOver(3, 0, 10)).toEqual([]);
    expect(await runtime.stores.sweep.leftovers(0, 10)).toEqual([]);
  });

  it.each([false, true])('does so in any stage, with parts to load: %s', async (loading) => {
    const { id } = await abandoned({ loading });
    const { attempts, sweep } = runtime.stores;
    for (const death of [1, 2, 3]) {
      await past('lease_until', id);
      const takenOver = await sweep.takeOver(3, 60_000, 10);
      expect(takenOver.map(({ jobId }) => jobId)).toEqual(death < 3 ? [id] : []);
      if (death < 3)
        expect(await attempts.claim(id, newId(), 'killed', LEASE_MS)).toMatchObject({ job: { attempt: 1 } });
    }
    expect(await runtime.job(id)).toMatchObject({ state: 'DEAD', error: { code: 'POISON' } });
    const listed = await runtime.stores.jobs.attempts('default', id, 10);
    expect(listed.map(({ number, outcome, error }) => [number, outcome, error?.code])).toEqual([
      [1, 'LEASE_LOST', undefined],
      [1, 'LEASE_LOST', undefined],
      [1, 'LEASE_LOST', 'POISON'],
    ]);
  });

  it('counts from the beginning once something of the job is done', async () => {
    const { id, load } = await abandoned({ loading: true });
    await runtime.pool.query('update sluice.job set takeovers = 2 where id = $1', [id]);
    await load?.();
    await past('lease_until', id);
    expect(await runtime.stores.sweep.takeOver(3, 60_000, 10)).toMatchObject([{ jobId: id }]);
    expect(await runtime.column('select takeovers from sluice.job where id = $1', [id])).toEqual([1]);
  });

  it('does not hold it against a job that its workers were told to leave it', async () => {
    const { id, attempt } = await abandoned({ loading: true });
    await runtime.stores.attempts.leave(attempt);
    expect(await runtime.stores.sweep.takeOver(1, 60_000, 10)).toEqual([]);
    await past('updated_at', id);
    expect(await runtime.stores.sweep.takeOver(1, 60_000, 10)).toMatchObject([{ jobId: id }]);
    expect(await runtime.column('select takeovers from sluice.job where id = $1', [id])).toEqual([0]);
    const [listed] = await runtime.stores.jobs.attempts('default', id, 10);
    expect(listed).toMatchObject({ number: 1, worker: 'killed', outcome: 'RELEASED', error: null });
  });

  it('lets others load what a killed worker had claimed, and never loads its chunks twice', async () => {
    const { id, attempt, load } = await abandoned({ loading: true });
    await load?.();
    await runtime.stores.chunks.claimNext(id, attempt.token, 'killed', LEASE_MS);
    await past('updated_at', id, '10 s');
    // One chunk is free, so that somebody may help already; the claimed one is not.
    expect(await runtime.stores.sweep.unattendedLoads(1_000, 10)).toMatchObject([{ jobId: id }]);
    await runtime.pool.query(
      `update sluice.chunk set lease_until = statement_timestamp() - interval '1 s' where lease_token is not null`,
    );
    await sweepUntil(ended(id));
    expect(await runtime.job(id)).toMatchObject({ attempt: 1, progress: { rowsLoaded: 3, chunksDone: 3 } });
    expect(await ids()).toEqual([1, 2, 3]);
  });

  it('has a job finished whose worker was killed after the last chunk', async () => {
    const { id, load } = await abandoned({ loading: true });
    for (let i = 0; i < 3; i++) await load?.();
    await past('updated_at', id, '10 s');
    expect(await runtime.stores.sweep.unattendedLoads(1_000, 10)).toEqual([]);
    await past('lease_until', id);
    await sweepUntil(ended(id));
    expect(await ids()).toEqual([1, 2, 3]);
  });

  it('cancels what nobody holds any more, and removes what it left', async () => {
    const { id } = await abandoned({ loading: true });
    await runtime.stores.jobs.requestCancel('default', id);
    expect(await runtime.stores.sweep.stopAbandoned(10)).toEqual([]);
    await past('lease_until', id);
    await sweepUntil(async () => (await runtime.job(id)).state === 'CANCELLED');
    await past('finished_at', id);
    await sweepUntil(
      async () => (await runtime.column('select prepared is null from sluice.job where id = $1', [id]))[0] === true,
    );
    expect(await readdir(runtime.staging)).not.toContain(id);
  });

  it('removes staging folders of jobs that have ended or never were, and no others', async () => {
    const running = await abandoned({ loading: false });
    const stray = newId();
    await mkdir(join(runtime.staging, stray, 'x'), { recursive: true });
    await mkdir(join(runtime.staging, 'not-a-job'), { recursive: true });
    await sweepUntil(async () => !(await readdir(runtime.staging)).includes(stray));
    expect(await readdir(runtime.staging)).toEqual(expect.arrayContaining([running.id, 'not-a-job']));
  });

  it('moves a job once when two schedulers look at the same time', async () => {
    const id = await runtime.launch();
    await runtime.pool.query(`update sluice.job set state = 'RETRYING', due_at = statement_timestamp() where id = $1`, [
      id,
    ]);
    const moved = await Promise.all(Array.from({ length: 6 }, () => runtime.stores.sweep.due(10)));
    expect(moved.flat()).toHaveLength(1);
    expect((await runtime.events(id)).map(({ seq, state }) => [seq, state])).toEqual([
      [1, 'QUEUED'],
      [2, 'QUEUED'],
    ]);
  });
});
