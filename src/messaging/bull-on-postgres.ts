import { createPostgresBackend, Queue, Worker } from 'bullmq';
import type { Pool } from 'pg';
import { type BullEngine, HINT_DEFAULTS, type Hint, QUEUE_NAME, WORKER_DEFAULTS } from './bull-engine.js';

// Of its own, beside `sluice`: BullMQ migrates it.
const SCHEMA = 'sluice_queue';

const CONNECT_MS = 5_000;
/** No statement of the queue takes this long. */
const SILENCE_MS = 30_000;

/** @param pool of the same database, for the health check alone */
export function bullOnPostgres(url: string, pool: Pick<Pool, 'query'>): BullEngine {
  const connection = {
    connectionString: url,
    schema: SCHEMA,
    migrate: true,
    application_name: 'sluice queue',
    // BullMQ itself sets no bound, and would wait for a server that has gone silent as long as it takes.
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: SILENCE_MS,
    keepAlive: true,
  };
  return {
    openQueue: () =>
      new Queue(
        QUEUE_NAME,
        { connection: { ...connection, max: 3 }, defaultJobOptions: HINT_DEFAULTS },
        createPostgresBackend,
      ),
    createWorker: (handle, concurrency) =>
      new Worker(
        QUEUE_NAME,
        (hint: { readonly data: Hint }) => handle(hint.data),
        { connection: { ...connection, max: 3 }, concurrency, ...WORKER_DEFAULTS },
        createPostgresBackend,
      ),
    started: (part) => part.waitUntilReady(),
    // What is away is found by the statement that needs it.
    isThere: () => true,
    ping: () => pool.query('select 1'),
    close: async () => undefined,
  };
}
