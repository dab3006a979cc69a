import { Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { answersWithin } from '../core/answers-within.js';
import type { Clock } from '../core/clock.js';
import type { Log } from '../core/log.js';
import { type BullEngine, HINT_DEFAULTS, type Hint, QUEUE_NAME, WORKER_DEFAULTS } from './bull-engine.js';
import { openRedis, RECONNECT } from './open-redis.js';
import type { Outage } from './outage.js';

/** BullMQ would print it, and give the queue up for good when the connection breaks while it asks: see `warnOfPolicy`. */
const UNASKED = { skipVersionCheck: true } as const;

// Longer than an idle worker blocks for a hint (`drainDelay`), so that only a dead connection stays silent for it.
const WORKER_SILENCE_MS = 15_000;
const START_MS = 5_000;

/**
 * @param namespace begins every key, so that several installations can share a Redis
 * @throws SluiceError QUEUE_UNREACHABLE when Redis turns us away
 */
export async function bullOnRedis(
  url: string,
  namespace: string,
  { clock, log, outage }: { readonly clock: Clock; readonly log: Log; readonly outage: Outage },
): Promise<BullEngine> {
  const client = await openRedis(url, namespace, { clock, outage });
  warnOfPolicy(client, log);
  // Keys of one installation in one slot, also on a cluster.
  const prefix = `{${namespace}}`;
  return {
    openQueue: () =>
      new Queue<Hint>(QUEUE_NAME, { connection: client, prefix, defaultJobOptions: HINT_DEFAULTS, ...UNASKED }),
    createWorker: (handle, concurrency) =>
      new Worker<Hint>(QUEUE_NAME, (hint) => handle(hint.data), {
        connection: { url, ...RECONNECT, socketTimeout: WORKER_SILENCE_MS, ...UNASKED },
        prefix,
        concurrency,
        ...WORKER_DEFAULTS,
      }),
    started: (part) => answersWithin(clock, client.status === 'ready' ? START_MS : 0, part.waitUntilReady()),
    isThere: () => client.status === 'ready',
    ping: () => client.ping(),
    async close() {
      client.disconnect();
    },
  };
}

/** A Redis that evicts keys takes hints that nobody has seen; whoever changes the policy learns of it by the next start. */
function warnOfPolicy(client: Redis, log: Log): void {
  const look = async () => {
    const policy = /^maxmemory_policy:(\S+)/m.exec(await client.info('memory'))?.[1];
    if (policy === undefined || policy === 'noeviction') return;
    const message = `Redis may throw hints away under its maxmemory-policy ${policy}, and jobs then wait for the sweeper: set it to noeviction`;
    log.warn({ policy }, message);
  };
  const ask = () => void look().catch(() => undefined);
  if (client.status === 'ready') ask();
  else client.once('ready', ask);
}
