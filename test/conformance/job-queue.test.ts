import { beforeAll } from 'vitest';
import { systemClock } from '../../src/core/clock.js';
import { createLog } from '../../src/core/log.js';
import { createQueue, type QueueOptions } from '../../src/messaging/create-queue.js';
import { createPool } from '../../src/store/pool.js';
import { freshDatabase, type TestDatabase } from '../support/database.js';
import { freshRedis } from '../support/redis.js';
import { describeJobQueue } from './job-queue.js';

const redis = freshRedis();
let database: TestDatabase;
beforeAll(async () => {
  database = await freshDatabase();
});

const options = (redisUrl: string | undefined): QueueOptions => ({
  redisUrl,
  databaseUrl: database.url,
  pool: database.pool,
  namespace: redis.prefix,
  clock: systemClock,
  log: createLog('silent'),
});

// Nothing listens on port 1.
const UNREACHABLE = 'postgres://x@127.0.0.1:1/x';
const unreachablePool = createPool(UNREACHABLE, { max: 1, applicationName: 'sluice test' });

describeJobQueue({
  name: 'Postgres',
  open: () => createQueue(options(undefined)),
  openUnreachable: () => createQueue({ ...options(undefined), databaseUrl: UNREACHABLE, pool: unreachablePool }),
});
describeJobQueue({
  name: 'Redis',
  open: () => createQueue(options(redis.url)),
  openUnreachable: () => createQueue(options('redis://127.0.0.1:1')),
});
