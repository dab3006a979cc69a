import { systemClock } from '../../src/core/clock.js';
import { createLog } from '../../src/core/log.js';
import type { JobQueue } from '../../src/jobs/ports.js';
import { createQueue } from '../../src/messaging/create-queue.js';
import { deleteKeys } from './redis.js';
import type { Runtime } from './runtime.js';
import { startWorkerProcess, type WorkerProcess } from './worker-process.js';

export interface WorkerFleet {
  /** Where hints are given to its workers. */
  readonly queue: JobQueue;
  /** Another `sluice worker`, in a process of its own. @param deadlyFile see `run-mortal.ts` */
  start(deadlyFile?: RegExp): Promise<WorkerProcess>;
  /** Kills every process that still runs. */
  stop(): Promise<void>;
}

/**
 * Workers of the installation that a runtime is, and a queue to them on either engine.
 * @param settings further ones of the workers
 */
export async function workerFleet(
  runtime: Runtime,
  home: string,
  redisUrl: string | undefined,
  settings: Readonly<Record<string, string>> = {},
): Promise<WorkerFleet> {
  const processes: WorkerProcess[] = [];
  const queue = await createQueue({
    redisUrl,
    databaseUrl: runtime.url,
    pool: runtime.pool,
    namespace: `sluice-${runtime.stores.installation}`,
    clock: systemClock,
    log: createLog('silent'),
  });
  const env = {
    DATABASE_URL: runtime.url,
    ...(redisUrl && { REDIS_URL: redisUrl }),
    SLUICE_HOME: home,
    SLUICE_DATA_DIRS: home,
    SLUICE_LOG_LEVEL: 'warn',
    ...settings,
  };
  return {
    queue,
    async start(deadlyFile) {
      const worker = await startWorkerProcess(env, deadlyFile);
      processes.push(worker);
      return worker;
    },
    async stop() {
      await Promise.all(processes.splice(0).map((worker) => worker.kill()));
      await queue.close();
    },
  };
}

/** What FLUSHALL does, for the queue of this installation alone. @returns how many keys there were */
export const forgetQueue = (runtime: Runtime, redisUrl: string): Promise<number> =>
  deleteKeys(redisUrl, `sluice-${runtime.stores.installation}`);
