import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { type BullEngine, HINT_DEFAULTS, type Hint, QUEUE_NAME, WORKER_DEFAULTS } from './bull-engine.js';
import { reconnectDelayMs } from './redis-reconnect.js';

/** @param namespace begins every key, so that several installations can share a Redis */
export function bullOnRedis(url: string, namespace: string): BullEngine {
  const connection = { url, retryStrategy: reconnectDelayMs };
  // A launch must not hang while Redis is away: the command fails at once, and the sweeper offers later.
  const impatient = { ...connection, enableOfflineQueue: false, maxRetriesPerRequest: 0 };
  // Keys of one installation in one slot, also on a cluster.
  const prefix = `{${namespace}}`;
  const probe = new Redis(url, { ...impatient, lazyConnect: true });
  probe.on('error', () => undefined);
  return {
    openQueue: () => new Queue<Hint>(QUEUE_NAME, { connection: impatient, prefix, defaultJobOptions: HINT_DEFAULTS }),
    createWorker: (handle, concurrency) =>
      new Worker<Hint>(QUEUE_NAME, (hint) => handle(hint.data), {
        connection,
        prefix,
        concurrency,
        ...WORKER_DEFAULTS,
      }),
    async ping() {
      if (probe.status === 'wait') await probe.connect();
      return probe.ping();
    },
    async close() {
      probe.disconnect();
    },
  };
}
