import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { parsePipeline } from '../../src/engine/parse-pipeline.js';
import type { JobQueue } from '../../src/jobs/ports.js';
import { eventually } from '../support/eventually.js';
import { freshRedis } from '../support/redis.js';
import { aPipeline, aRuntime, type Runtime } from '../support/runtime.js';
import { forgetQueue, type WorkerFleet, workerFleet } from '../support/worker-fleet.js';

// Processes take their time to start on a busy machine, and to find out what happened.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 60_000 });
const LONG_MS = 90_000;

const ROWS = 20_000;
const redis = freshRedis();
let runtime: Runtime;
let home: string;
beforeAll(async () => {
  runtime = await aRuntime();
  home = await mkdtemp(join(tmpdir(), 'sluice-killed-'));
  const lines = Array.from({ length: ROWS }, (_, i) => `${i},name ${i}`);
  await writeFile(join(home, 'rows.csv'), `id,name\n${lines.join('\n')}\n`);
});
afterAll(() => forgetQueue(runtime, redis.url));
afterAll(() => rm(home, { recursive: true, force: true }));

const spec = parsePipeline({
  source: { csv: { uri: 'file:rows.csv' } },
  steps: [{ cast: { columns: [{ name: 'id', type: 'BIGINT' }] } }],
  sink: aPipeline().json.sink,
  options: { chunkRows: 2_048 },
}).json;

describe.each([
  ['Postgres', undefined],
  ['Redis', redis.url],
] as const)('with the queue on %s', (_engine, redisUrl) => {
  let fleet: WorkerFleet;
  let queue: JobQueue;
  const aProcess = () => fleet.start();
  beforeEach(async () => {
    await runtime.pool.query('drop table if exists target; create table target (id bigint, name text)');
    fleet = await workerFleet(runtime, home, redisUrl);
    queue = fleet.queue;
  });
  afterEach(() => fleet.stop());

  /** Holds every COPY up until the test lets it go. */
  async function lockedTarget() {
    const client = await runtime.pool.connect();
    await client.query('begin; lock table target in access exclusive mode');
    return async () => {
      await client.query('commit');
      client.release();
    };
  }
  const waitsForLock = async () =>
    (
      await runtime.column(
        `select count(*)::int from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      )
    )[0] !== 0;

  it('a worker killed in the middle of a load is replaced, and the target is that of a run without a crash', async () => {
    const first = await aProcess();
    const unlock = await lockedTarget();
    const id = await runtime.launch({ spec });
    await queue.offer(id);
    await eventually(waitsForLock, LONG_MS);
    await first.kill();
    await unlock();
    await aProcess();
    // Six seconds pass.
    await runtime.pool.query(
      `update sluice.chunk set lease_until = statement_timestamp() where lease_token is not null`,
    );
    await runtime.pool.query(
      `update sluice.job set lease_until = statement_timestamp(), updated_at = statement_timestamp() - interval '6 s'`,
    );
    await eventually(async () => (await runtime.job(id)).state === 'SUCCEEDED', LONG_MS);
    expect(await runtime.column('select count(*)::int from target')).toEqual([ROWS]);
    expect(await runtime.column('select count(distinct id)::int from target')).toEqual([ROWS]);
    expect(await runtime.job(id)).toMatchObject({ attempt: 1, progress: { rowsLoaded: ROWS } });
  });

  it('a cancel reaches a worker in another process, and the target is left as it was', async () => {
    const worker = await aProcess();
    const unlock = await lockedTarget();
    const id = await runtime.launch({ spec });
    await queue.offer(id);
    await eventually(waitsForLock, LONG_MS);
    await runtime.stores.jobs.requestCancel('default', id);
    await eventually(async () => (await runtime.job(id)).state === 'CANCELLED', LONG_MS);
    await unlock();
    expect(await runtime.column('select count(*)::int from target')).toEqual([0]);
    expect(worker.child.exitCode).toBeNull();
  });

  // The same on both engines, and starting processes takes time.
  if (redisUrl === undefined) return;

  it('a worker told to stop hands its work back and exits with 0', async () => {
    const worker = await aProcess();
    const id = await runtime.launch({ spec });
    await queue.offer(id);
    await eventually(async () => (await runtime.job(id)).state !== 'QUEUED', LONG_MS);
    const exited = once(worker.child, 'exit');
    worker.child.kill('SIGTERM');
    expect((await exited)[0], worker.output()).toBe(0);
    await aProcess();
    await runtime.pool.query(
      `update sluice.job set updated_at = statement_timestamp() - interval '1 h' where state <> 'SUCCEEDED'`,
    );
    await eventually(async () => (await runtime.job(id)).state === 'SUCCEEDED', LONG_MS);
    expect(await runtime.job(id)).toMatchObject({ attempt: 1 });
    expect(await runtime.column('select count(*)::int from target')).toEqual([ROWS]);
  });

  it('jobs whose hints are all lost run all the same', async () => {
    const ids = await Promise.all([1, 2, 3].map(() => runtime.launch({ spec })));
    for (const id of ids) await queue.offer(id);
    expect(await forgetQueue(runtime, redis.url)).toBeGreaterThan(0);
    await runtime.pool.query(`update sluice.job set updated_at = statement_timestamp() - interval '1 h'`);
    await aProcess();
    for (const id of ids) await eventually(async () => (await runtime.job(id)).state === 'SUCCEEDED', LONG_MS);
  });
});
