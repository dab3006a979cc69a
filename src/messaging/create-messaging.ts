import type { Pool } from 'pg';
import type { EventBus, JobQueue } from '../jobs/ports.js';
import { createQueue, type QueueOptions } from './create-queue.js';
import { createOutage } from './outage.js';
import { createPostgresBus } from './postgres-bus.js';
import { createRedisBus } from './redis-bus.js';

export interface Messaging {
  readonly queue: JobQueue;
  readonly bus: EventBus;
  close(): Promise<void>;
}

/**
 * The queue and the bus, both on Redis or both on Postgres. Rejects when Postgres does not answer; Redis may come later.
 * @throws SluiceError DATABASE_UNREACHABLE, QUEUE_UNREACHABLE when Redis turns us away
 */
export async function createMessaging(
  options: QueueOptions & { readonly pool: Pick<Pool, 'query'> },
): Promise<Messaging> {
  const { redisUrl, databaseUrl, namespace, pool, clock, log } = options;
  const outage = createOutage(log, 'Redis');
  const bus =
    redisUrl === undefined
      ? await createPostgresBus({ url: databaseUrl, pool, clock, log })
      : await createRedisBus({ url: redisUrl, namespace, clock, log, outage });
  try {
    const queue = await createQueue({ ...options, outage });
    return {
      queue,
      bus,
      async close() {
        await queue.close();
        await bus.close();
      },
    };
  } catch (error) {
    await bus.close();
    throw error;
  }
}
