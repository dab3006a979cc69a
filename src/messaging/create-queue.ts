import type { Pool } from 'pg';
import { answersWithin, HEALTH_TIMEOUT_MS } from '../core/answers-within.js';
import type { Clock } from '../core/clock.js';
import { SluiceError } from '../core/errors.js';
import type { Log } from '../core/log.js';
import type { JobQueue, Offer } from '../jobs/ports.js';
import type { BullEngine, HintOptions } from './bull-engine.js';
import { bullOnPostgres } from './bull-on-postgres.js';
import { bullOnRedis } from './bull-on-redis.js';
import { createOutage, type Outage } from './outage.js';

export interface QueueOptions {
  /** Redis when set; else BullMQ's PostgreSQL engine in `databaseUrl`. */
  readonly redisUrl: string | undefined;
  readonly databaseUrl: string;
  readonly pool: Pick<Pool, 'query'>;
  /** Begins the names of what this installation keeps on a Redis that others use too. */
  readonly namespace: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Where it is told that Redis is away; by default a log line of its own. */
  readonly outage?: Outage;
}

// BullMQ takes the lowest number first, from 1 to 2^21 - 1, and whatever has none before all; ours are around 0 and
// the highest goes first.
const MIDDLE = 2 ** 20;
const bullPriority = (priority: number): number => Math.min(2 * MIDDLE - 1, Math.max(1, MIDDLE - Math.trunc(priority)));

/** Hints that go to the engine in one piece; it answers within the time that a command may take, also when it is busy. */
const BULK = 500;
/** BullMQ tells the engine what became of its last hints, and would wait for one that is away. */
const CLOSE_MS = 1_000;

/**
 * Hints over BullMQ, on Redis or on PostgreSQL. They are no truth: they may come twice, late, or never. Without Redis
 * nothing can be offered and none come; it is connected to when it is there.
 *
 * @throws SluiceError QUEUE_UNREACHABLE when Redis turns us away, DATABASE_UNREACHABLE
 */
export async function createQueue(options: QueueOptions): Promise<JobQueue> {
  const { redisUrl, clock, log } = options;
  const outage = options.outage ?? createOutage(log, 'Redis');
  const engine =
    redisUrl === undefined
      ? await onPostgres(options)
      : await bullOnRedis(redisUrl, options.namespace, { clock, log, outage });
  // While the server is away, that is said once and elsewhere.
  const report = ({ message }: Error) =>
    engine.isThere()
      ? log.warn({ reason: message }, 'the queue reports an error')
      : log.debug({ reason: message }, 'the queue waits for its server');
  const queue = engine.openQueue();
  queue.on('error', report);
  await engine.started(queue);
  const stopping = new Map<object, () => Promise<void>>();

  function requireServer(): void {
    if (!engine.isThere()) throw new SluiceError('QUEUE_UNREACHABLE', 'Redis does not answer; the work waits.');
  }

  async function add(offers: readonly Offer[]): Promise<void> {
    requireServer();
    const hints = offers.flatMap(hintsOf);
    const [only] = hints;
    if (only && hints.length === 1) await queue.add(only.name, only.data, only.opts);
    else if (only) await queue.addBulk(hints);
  }

  return {
    offer: (jobId, options) => add([{ jobId, ...options }]),

    async offerAll(offers) {
      for (let i = 0; i < offers.length; i += BULK) await add(offers.slice(i, i + BULK));
    },

    async waiting() {
      requireServer();
      return queue.getJobCountByTypes('waiting', 'prioritized');
    },

    async work(concurrency, handle) {
      const handling = new Set<Promise<void>>();
      const worker = engine.createWorker((hint) => {
        const handled = handle(hint.jobId).finally(() => handling.delete(handled));
        handling.add(handled);
        return handled;
      }, concurrency);
      worker.on('error', report);
      await engine.started(worker);
      const stop = async () => {
        stopping.delete(worker);
        // With its server away nothing new comes, and nobody is to be told.
        if (!engine.isThere()) await Promise.all(handling);
        const closed = worker.close(!engine.isThere());
        await Promise.race([closed, Promise.all(handling)]);
        if (!(await answersWithin(clock, CLOSE_MS, closed))) await answersWithin(clock, CLOSE_MS, worker.disconnect());
      };
      stopping.set(worker, stop);
      return { stop };
    },

    healthy: async () => engine.isThere() && (await answersWithin(clock, HEALTH_TIMEOUT_MS, engine.ping())),

    async close() {
      await Promise.all([...stopping.values()].map((stop) => stop()));
      await answersWithin(clock, CLOSE_MS, queue.close());
      await engine.close();
    },
  };
}

/** BullMQ takes an id once for as long as a hint with it waits or is handled. */
function hintsOf({ jobId, priority = 0, copies = 1, once }: Offer) {
  return Array.from({ length: copies }, (_, copy) => {
    const opts: HintOptions = {
      priority: bullPriority(priority),
      ...(once !== undefined && { jobId: `${jobId}-${once}-${copy}` }),
    };
    return { name: 'job', data: { jobId }, opts };
  });
}

/** Without PostgreSQL nothing works, and BullMQ itself would wait for it as long as it takes. */
async function onPostgres({ databaseUrl, pool, clock }: QueueOptions): Promise<BullEngine> {
  const engine = bullOnPostgres(databaseUrl, pool);
  if (await answersWithin(clock, HEALTH_TIMEOUT_MS, engine.ping())) return engine;
  throw new SluiceError('DATABASE_UNREACHABLE', 'PostgreSQL does not answer; check DATABASE_URL and the server.');
}
