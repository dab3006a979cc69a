import type { Pool } from 'pg';
import { answersWithin } from '../core/answers-within.js';
import type { Clock } from '../core/clock.js';
import { SluiceError } from '../core/errors.js';
import type { Log } from '../core/log.js';
import type { JobQueue } from '../jobs/ports.js';
import type { HintOptions } from './bull-engine.js';
import { bullOnPostgres } from './bull-on-postgres.js';
import { bullOnRedis } from './bull-on-redis.js';

export interface QueueOptions {
  /** Redis when set; else BullMQ's PostgreSQL engine in `databaseUrl`. */
  readonly redisUrl: string | undefined;
  readonly databaseUrl: string;
  readonly pool: Pick<Pool, 'query'>;
  /** Begins the names of what this installation keeps on a Redis that others use too. */
  readonly namespace: string;
  readonly clock: Clock;
  readonly log: Log;
}

// BullMQ takes the lowest number first, from 1 to 2^21 - 1, and whatever has none before all; ours are around 0 and
// the highest goes first.
const MIDDLE = 2 ** 20;
const bullPriority = (priority: number): number => Math.min(2 * MIDDLE - 1, Math.max(1, MIDDLE - Math.trunc(priority)));

const HEALTH_TIMEOUT_MS = 2_000;

/**
 * Hints over BullMQ, on Redis or on PostgreSQL. They are no truth: they may come twice, late, or never.
 * @throws SluiceError QUEUE_UNREACHABLE, DATABASE_UNREACHABLE
 */
export async function createQueue(options: QueueOptions): Promise<JobQueue> {
  const { redisUrl, databaseUrl, pool, namespace, clock, log } = options;
  const engine = redisUrl === undefined ? bullOnPostgres(databaseUrl, pool) : bullOnRedis(redisUrl, namespace);
  const report = (error: Error) => log.warn({ reason: error.message }, 'the queue reports an error');
  // BullMQ itself would wait for a server that is not there for as long as it takes.
  if (!(await answersWithin(clock, HEALTH_TIMEOUT_MS, engine.ping()))) {
    await engine.close();
    throw new SluiceError(
      redisUrl === undefined ? 'DATABASE_UNREACHABLE' : 'QUEUE_UNREACHABLE',
      redisUrl === undefined
        ? 'PostgreSQL does not answer; check DATABASE_URL and the server.'
        : 'Redis does not answer; check REDIS_URL and the server.',
    );
  }
  const queue = engine.openQueue();
  queue.on('error', report);
  await queue.waitUntilReady();
  const stopping = new Map<object, () => Promise<void>>();

  return {
    async offer(jobId, { priority = 0, copies = 1, once } = {}) {
      const hints = Array.from({ length: copies }, (_, copy) => {
        // BullMQ takes an id once for as long as a hint with it waits or is handled.
        const opts: HintOptions = {
          priority: bullPriority(priority),
          ...(once !== undefined && { jobId: `${jobId}-${once}-${copy}` }),
        };
        return { name: 'job', data: { jobId }, opts };
      });
      const [only] = hints;
      if (only && hints.length === 1) await queue.add(only.name, only.data, only.opts);
      else await queue.addBulk(hints);
    },

    async work(concurrency, handle) {
      const worker = engine.createWorker((hint) => handle(hint.jobId), concurrency);
      worker.on('error', report);
      await worker.waitUntilReady();
      const stop = () => {
        stopping.delete(worker);
        return worker.close();
      };
      stopping.set(worker, stop);
      return { stop };
    },

    healthy: () => answersWithin(clock, HEALTH_TIMEOUT_MS, engine.ping()),

    async close() {
      await Promise.all([...stopping.values()].map((stop) => stop()));
      await queue.close();
      await engine.close();
    },
  };
}
