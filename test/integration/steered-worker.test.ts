import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/core/clock.js';
import { createLog } from '../../src/core/log.js';
import { parsePipeline } from '../../src/engine/parse-pipeline.js';
import { createJobSteering } from '../../src/jobs/create-job-steering.js';
import type { JobSteering } from '../../src/jobs/job-steering.js';
import { startQueueService } from '../../src/jobs/queue/create-queue-service.js';
import { createStagingArea } from '../../src/jobs/staging-area.js';
import { createMessaging, type Messaging } from '../../src/messaging/create-messaging.js';
import { createQueueStore } from '../../src/store/queue-store.js';
import { eventually } from '../support/eventually.js';
import { freshRedis } from '../support/redis.js';
import { aPipeline, aRuntime, type Runtime } from '../support/runtime.js';
import { CALLER } from '../support/steering.js';
import { forgetQueue, type WorkerFleet, workerFleet } from '../support/worker-fleet.js';

// Processes take their time to start on a busy machine, and some of these tests start several.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 60_000 });
const LONG_MS = 90_000;

const ROWS = 20_000;
const log = createLog('silent');
const redis = freshRedis();
let runtime: Runtime;
let home: string;
beforeAll(async () => {
  runtime = await aRuntime();
  home = await mkdtemp(join(tmpdir(), 'sluice-steered-'));
  const lines = Array.from({ length: ROWS }, (_, i) => `${i},name ${i}`);
  for (const name of ['rows.csv', 'deadly.csv']) await writeFile(join(home, name), `id,name\n${lines.join('\n')}\n`);
});
afterAll(() => forgetQueue(runtime, redis.url));
afterAll(() => rm(home, { recursive: true, force: true }));

const spec = (file = 'rows.csv') =>
  parsePipeline({
    source: { csv: { uri: `file:${file}` } },
    steps: [{ cast: { columns: [{ name: 'id', type: 'BIGINT' }] } }],
    sink: aPipeline().json.sink,
    options: { chunkRows: 2_048 },
  }).json;
const stateOf = async (id: string) => (await runtime.job(id)).state;
/** Six seconds pass. */
const leasesRunOut = () =>
  runtime.pool.query(
    `update sluice.chunk set lease_until = statement_timestamp() where lease_token is not null;
     update sluice.job set lease_until = statement_timestamp(), updated_at = updated_at - interval '6 s'
       where lease_until is not null`,
  );

describe.each([
  ['Postgres', undefined],
  ['Redis', redis.url],
] as const)('with the queue on %s', (engine, redisUrl) => {
  let fleet: WorkerFleet;
  let messaging: Messaging;
  let steering: JobSteering;
  beforeEach(async () => {
    await runtime.pool.query(
      'delete from sluice.job; delete from sluice.worker; drop table if exists target; create table target (id bigint, name text)',
    );
    fleet = await workerFleet(runtime, home, redisUrl);
    // The gateway's side of the bus and the queue, in another process than the workers'.
    messaging = await createMessaging({
      redisUrl,
      databaseUrl: runtime.url,
      namespace: `sluice-${runtime.stores.installation}`,
      pool: runtime.pool,
      clock: systemClock,
      log,
    });
    const staging = createStagingArea(join(home, 'staging'));
    const retry = runtime.stores.retry({ staging, parsePipeline, log });
    steering = createJobSteering({ ...messaging, jobs: runtime.stores.jobs, retry, log });
  });
  afterEach(async () => {
    await fleet.stop();
    await messaging.close();
  });

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

  it('a job that loads in another process is paused from here, and goes on with the parts that are left', async () => {
    await fleet.start();
    const unlock = await lockedTarget();
    const id = await runtime.launch({ spec: spec() });
    await fleet.queue.offer(id);
    await eventually(waitsForLock, LONG_MS);
    await steering.pause(CALLER, id);
    await eventually(async () => (await stateOf(id)) === 'PAUSED', LONG_MS);
    // Its COPY is gone, not only told to go.
    await eventually(async () => !(await waitsForLock()), LONG_MS);
    await unlock();
    expect(await runtime.column('select count(*)::int from target')).toEqual([0]);
    expect(await steering.resume(CALLER, id)).toMatchObject({ state: 'QUEUED' });
    await eventually(async () => (await stateOf(id)) === 'SUCCEEDED', LONG_MS);
    expect(await runtime.column('select count(distinct id)::int from target')).toEqual([ROWS]);
    const { attempt, progress } = await runtime.job(id);
    expect([attempt, progress.rowsLoaded]).toEqual([1, ROWS]);
    const stages = (await runtime.events(id)).filter(({ stage }) => stage === 'EVALUATING');
    expect(new Set(stages.map(({ message }) => message)).size).toBe(1);
  });

  it('a queue that is paused here keeps workers elsewhere from beginning, also those that start later', async () => {
    await fleet.start();
    const store = createQueueStore(runtime.pool);
    const { service, stop } = await startQueueService({ ...messaging, store, clock: systemClock, log });
    try {
      await service.pause(CALLER, 'on purpose');
      const id = await runtime.launch({ spec: spec() });
      await fleet.queue.offer(id);
      await fleet.start();
      await fleet.queue.offer(id);
      await eventually(async () => (await service.stats(CALLER)).workers.length === 2, LONG_MS);
      expect(await runtime.job(id)).toMatchObject({ state: 'QUEUED', attempt: 0 });
      expect(await service.resume(CALLER, null)).toMatchObject({ pause: null });
      await eventually(async () => (await stateOf(id)) === 'SUCCEEDED', LONG_MS);
    } finally {
      await stop();
      await runtime.pool.query('delete from sluice.queue_pause');
    }
  });

  // One stage on each engine: each test starts four processes.
  const stage = redisUrl === undefined ? 'evaluating' : 'loading';
  const deadly = redisUrl === undefined ? /deadly\.csv$/ : /\/staging\//;

  it(`a job that kills its worker while ${stage} is DEAD after three of them, and the next worker lives`, async () => {
    const id = await runtime.launch({ spec: spec('deadly.csv') });
    await fleet.queue.offer(id);
    for (let death = 1; death <= 3; death++) {
      const worker = await fleet.start(deadly);
      if (worker.child.signalCode === null) await once(worker.child, 'exit');
      expect(worker.child.signalCode, worker.output()).toBe('SIGKILL');
      expect(await runtime.job(id)).toMatchObject({ state: 'RUNNING', attempt: 1 });
      await leasesRunOut();
    }
    const survivor = await fleet.start(deadly);
    await eventually(async () => (await stateOf(id)) === 'DEAD', LONG_MS);
    expect(await runtime.job(id)).toMatchObject({ error: { code: 'POISON', failureClass: 'CRITICAL_FAILURE' } });
    const attempts = await runtime.stores.jobs.attempts('default', id, 10);
    expect(attempts.map(({ number, outcome }) => [number, outcome])).toEqual([
      [1, 'LEASE_LOST'],
      [1, 'LEASE_LOST'],
      [1, 'LEASE_LOST'],
    ]);
    expect(new Set(attempts.map(({ worker }) => worker)).size).toBe(3);
    expect(survivor.child.signalCode).toBeNull();
    expect(await runtime.column('select count(*)::int from target')).toEqual([0]);
    if (engine === 'Redis') return;
    // Whoever has mended the cause retries it.
    await survivor.kill();
    await fleet.start();
    await steering.retry(CALLER, id);
    await eventually(async () => (await stateOf(id)) === 'SUCCEEDED', LONG_MS);
    expect(await runtime.column('select count(distinct id)::int from target')).toEqual([ROWS]);
  });
});
