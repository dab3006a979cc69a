import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/core/clock.js';
import { createEngine } from '../../src/engine/create-engine.js';
import { createFileResolver } from '../../src/engine/files/file-resolver.js';
import { parsePipeline } from '../../src/engine/parse-pipeline.js';
import { TOPICS } from '../../src/jobs/events.js';
import { createStagingArea } from '../../src/jobs/staging-area.js';
import { startSweeper } from '../../src/jobs/sweeper.js';
import type { WorkerContext } from '../../src/jobs/worker-context.js';
import { eventually } from '../support/eventually.js';
import { aRuntime, type Runtime } from '../support/runtime.js';
import { type WorkerFleet, workerFleet } from '../support/worker-fleet.js';

// Processes take their time to start on a busy machine.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 60_000 });

let runtime: Runtime;
let home: string;
let fleet: WorkerFleet;
beforeAll(async () => {
  runtime = await aRuntime();
  home = await realpath(await mkdtemp(join(tmpdir(), 'sluice-killed-file-')));
  fleet = await workerFleet(runtime, home, undefined);
});
afterAll(async () => {
  await fleet.stop();
  await rm(home, { recursive: true, force: true });
});
beforeEach(async () => {
  await mkdir(join(home, 'out'));
  await writeFile(join(home, 'out', 'target.csv'), 'old');
});
afterEach(() => rm(join(home, 'out'), { recursive: true }));

const spec = parsePipeline({
  source: { records: { rows: [{ id: 1 }, { id: 2 }] } },
  sink: { csv: { uri: 'file:out/target.csv' } },
}).json;
const target = () => readFile(join(home, 'out', 'target.csv'), 'utf8');
const beside = async () => (await readdir(join(home, 'out'))).filter((name) => name !== 'target.csv');

/** A job whose worker is killed at that file. @returns its id, some seconds later */
async function killedAt(deadlyFile: RegExp): Promise<string> {
  const worker = await fleet.start(deadlyFile);
  const id = await runtime.launch({ spec });
  const ended = once(worker.child, 'exit');
  await fleet.queue.offer(id);
  expect((await ended)[1], worker.output()).toBe('SIGKILL');
  await runtime.pool.query(`update sluice.chunk set lease_until = statement_timestamp() where lease_token is not null`);
  await runtime.pool.query(
    `update sluice.job set lease_until = statement_timestamp() - interval '1 ms', updated_at = statement_timestamp() - interval '9 s'`,
  );
  return id;
}

/** Another worker that sees the same folders. */
async function anotherWorker(changes: Partial<WorkerContext> = {}) {
  const files = createFileResolver({ dataDirs: [home], uploadsDir: join(home, 'uploads') });
  const engine = createEngine({ files, limits: { memoryMb: 64, threads: 1, tempMb: 100 }, clock: systemClock });
  return runtime.worker(engine, { staging: createStagingArea(join(home, 'staging')), files, ...changes });
}

it.each([
  ['while it puts the file aside', /\.sluice-[^/]*$/, 'old'],
  ['before the rename', /\/out\/target\.csv$/, 'old'],
  ['after the rename', /\/out$/, 'id\n1\n2\n'],
])('a worker killed %s leaves the old or the new file, and the next one finishes', async (_when, deadly, left) => {
  const id = await killedAt(deadly);
  expect(await target()).toBe(left);
  const { queue } = await anotherWorker();
  await runtime.stores.sweep.takeOver(3, 60_000, 10);
  await queue.hint(id);
  expect(await runtime.job(id)).toMatchObject({ state: 'SUCCEEDED', attempt: 1, progress: { rowsLoaded: 2 } });
  expect(await target()).toBe('id\n1\n2\n');
  expect(await beside()).toEqual([]);
});

it('a job that is cancelled after its worker was killed leaves nothing beside the old file', async () => {
  const id = await killedAt(/\/out\/target\.csv$/);
  expect(await beside()).toHaveLength(1);
  await runtime.stores.jobs.requestCancel('default', id);
  const { context } = await anotherWorker();
  await runtime.stores.sweep.stopAbandoned(10);
  expect(await runtime.job(id)).toMatchObject({ state: 'CANCELLED' });
  await runtime.pool.query(`update sluice.job set finished_at = statement_timestamp() - interval '1 h' where id = $1`, [
    id,
  ]);
  const sweeper = startSweeper(context, runtime.stores.sweep);
  await eventually(async () => (await beside()).length === 0).finally(() => sweeper.stop());
  expect(await target()).toBe('old');
});

it.each([
  ['before', 'CANCELLED', 'old'],
  ['after', 'SUCCEEDED', 'id\n1\n2\n'],
] as const)(
  'a cancel %s the rename leaves a job that is %s, and the file says the same',
  async (when, state, content) => {
    const cancel = async (id: string, signal: AbortSignal) => {
      await runtime.stores.jobs.requestCancel('default', id);
      await runtime.bus.publish(TOPICS.cancel, { jobId: id });
      await eventually(() => signal.aborted);
    };
    let id = '';
    const { queue } = await anotherWorker({
      parsePipeline(given) {
        const pipeline = parsePipeline(given);
        const publish: typeof pipeline.sink.publish = async (tx, prepared, loaded) => {
          if (when === 'before') await cancel(id, tx.signal);
          const recheck = await pipeline.sink.publish(tx, prepared, loaded);
          await cancel(id, tx.signal);
          return recheck;
        };
        return { ...pipeline, sink: { ...pipeline.sink, publish } };
      },
    });
    id = await runtime.launch({ spec });
    await queue.hint(id);
    expect(await runtime.job(id)).toMatchObject({ state });
    expect(await target()).toBe(content);
    expect(await beside()).toEqual([]);
  },
);
