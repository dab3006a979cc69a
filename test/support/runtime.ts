import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach } from 'vitest';
import { systemClock } from '../../src/core/clock.js';
import { newId } from '../../src/core/ids.js';
import { createLog } from '../../src/core/log.js';
import type { Engine } from '../../src/engine/engine.js';
import { createFileResolver } from '../../src/engine/files/file-resolver.js';
import { parsePipeline } from '../../src/engine/parse-pipeline.js';
import { specHashOf } from '../../src/jobs/parse-launch.js';
import { type Runner, startRunner } from '../../src/jobs/runner.js';
import { createStagingArea } from '../../src/jobs/staging-area.js';
import type { NewJob } from '../../src/jobs/stores.js';
import type { WorkerContext } from '../../src/jobs/worker-context.js';
import { createPostgresBus } from '../../src/messaging/postgres-bus.js';
import { openStores } from '../../src/store/open-stores.js';
import { freshDatabase, type TestDatabase } from './database.js';
import { type HandQueue, handQueue } from './hand-queue.js';

const log = createLog('silent');

/** A pipeline that appends `id` and `name` to the table `target`. */
export const aPipeline = (
  sink: object = { table: 'target', mode: 'APPEND', createTable: true },
  options: object = {},
) =>
  parsePipeline({
    source: { records: { rows: [{ id: 1, name: 'one' }] } },
    sink: { postgres: sink },
    options,
  });

export interface TestWorker {
  readonly context: WorkerContext;
  readonly queue: HandQueue;
  readonly runner: Runner;
}

export interface RuntimeOptions {
  readonly connections?: Record<string, string>;
  /** One that the test has made; a fresh one on the server of the run when left out. */
  readonly database?: TestDatabase;
}

/**
 * Stores over a database of the test file's own, a staging area that all its workers share, and workers to take
 * hints. Call in `beforeAll`.
 */
export async function aRuntime({ connections = {}, database }: RuntimeOptions = {}) {
  const { url, pool } = database ?? (await freshDatabase());
  const staging = await mkdtemp(join(tmpdir(), 'sluice-staging-'));
  const stores = await openStores({ databaseUrl: url, connections, isBusOnPostgres: true, loads: 8, log });
  const bus = await createPostgresBus({ url, pool, clock: systemClock, log });
  const runners: Runner[] = [];
  afterEach(async () => {
    await Promise.all(runners.splice(0).map((runner) => runner.stop()));
  });
  afterAll(async () => {
    await bus.close();
    await stores.close();
    await rm(staging, { recursive: true, force: true });
  });

  return {
    url,
    pool,
    stores,
    bus,
    staging,

    context: (engine: Engine, queue = handQueue()): WorkerContext => ({
      ...stores,
      worker: `test:${newId()}`,
      staging: createStagingArea(staging),
      engine,
      files: createFileResolver({ dataDirs: [staging], uploadsDir: staging }),
      parsePipeline,
      queue,
      bus,
      clock: systemClock,
      log,
      random: () => 0,
    }),

    /** A worker as a process has one, with a queue in the hands of the test. */
    async worker(engine: Engine, changes: Partial<WorkerContext> = {}): Promise<TestWorker> {
      const queue = handQueue();
      const context = { ...this.context(engine, queue), ...changes };
      const runner = await startRunner(context, 2);
      runners.push(runner);
      return { context, queue, runner };
    },

    /** Stores a job as a launch does. @returns its id */
    async launch(changes: Partial<NewJob> = {}): Promise<string> {
      const spec = changes.spec ?? aPipeline().json;
      const { job } = await stores.jobs.insert({
        id: newId(),
        tenant: 'default',
        kind: 'ETL',
        name: 'test',
        owner: 'layer-12',
        spec,
        specHash: specHashOf(spec),
        idempotencyKey: null,
        priority: 0,
        maxAttempts: 3,
        timeoutMs: null,
        ...changes,
      });
      return job.id;
    },

    async job(id: string) {
      const job = await stores.jobs.get('default', id);
      if (job === null) throw new Error(`no job ${id}`);
      return job;
    },

    async events(id: string) {
      return stores.events.readAfter('default', id, 0, 1_000);
    },

    /** What the first column of the query says, one value a row. */
    async column(sql: string, values: unknown[] = []): Promise<unknown[]> {
      const { rows } = await pool.query<Record<string, unknown>>(sql, values);
      return rows.map((row) => Object.values(row)[0]);
    },
  };
}

export type Runtime = Awaited<ReturnType<typeof aRuntime>>;
