import { Redis } from 'ioredis';
import { beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.js';
import { createLog } from '../../src/core/log.js';
import { TOPICS } from '../../src/jobs/events.js';
import { createPostgresBus } from '../../src/messaging/postgres-bus.js';
import { createRedisBus } from '../../src/messaging/redis-bus.js';
import { freshDatabase, type TestDatabase } from '../support/database.js';
import { freshRedis } from '../support/redis.js';
import { describeEventBus } from './event-bus.js';

const log = createLog('silent');
const nothing = () => undefined;
const redis = freshRedis();
let database: TestDatabase;
beforeAll(async () => {
  database = await freshDatabase();
});

describeEventBus({
  name: 'Postgres',
  open: () => createPostgresBus({ url: database.url, pool: database.pool, clock: systemClock, log }),
  async cutConnections() {
    await database.pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where application_name = 'sluice bus' and datname = current_database()`,
    );
  },
});

describeEventBus({
  name: 'Redis',
  open: () => createRedisBus({ url: redis.url, namespace: redis.prefix, clock: systemClock, log }),
  async cutConnections() {
    const client = new Redis(redis.url);
    try {
      // Those of this file alone: others use the server too.
      const list = String(await client.client('LIST'));
      const ours = list.split('\n').filter((line) => line.includes(` name=${redis.prefix} `));
      for (const line of ours) await client.client('KILL', 'ID', /^id=(\d+)/.exec(line)?.[1] ?? '');
    } finally {
      await client.quit();
    }
  },
});

describe('a bus without its server', () => {
  it('refuses to open without Postgres, in which the truth is', async () => {
    await expect(
      createPostgresBus({ url: 'postgres://x@127.0.0.1:1/x', pool: database.pool, clock: systemClock, log }),
    ).rejects.toThrow();
  });

  it('opens without Redis, since nobody depends on a message', async () => {
    const bus = await createRedisBus({ url: 'redis://127.0.0.1:1', namespace: 'x', clock: systemClock, log });
    await bus.subscribe(TOPICS.jobs, nothing, nothing);
    await expect(bus.publish(TOPICS.jobs, {})).rejects.toThrow();
    expect(await bus.healthy()).toBe(false);
    await bus.close();
  });
});
