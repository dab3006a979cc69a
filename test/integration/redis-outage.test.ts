import { afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { freshDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { deleteKeys } from '../support/redis.js';
import { startTestApp, stopAppsAfterEach } from '../support/running-app.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';

let database: TestDatabase;
let redis: TcpProxy;
beforeAll(async () => {
  database = await freshDatabase();
});
beforeEach(async () => {
  redis = await startTcpProxy(inject('redisUrl'));
});
stopAppsAfterEach();
afterEach(async () => {
  await redis.close();
  const { rows } = await database.pool.query<{ id: string }>('select id::text as id from sluice.installation');
  await deleteKeys(inject('redisUrl'), `sluice-${rows[0]?.id.slice(0, 8)}`);
});

const start = () => startTestApp({ DATABASE_URL: database.url, REDIS_URL: redis.url });
const degraded = { status: 'degraded', checks: { database: 'ok', queue: 'down', bus: 'down' } };
const well = { status: 'ok', checks: { database: 'ok', queue: 'ok', bus: 'ok' } };

describe('without Redis', () => {
  it('a launch is answered, readiness says what is missing, and the job runs by itself when Redis is back', async () => {
    const app = await start();
    const before = await app.launch('before');
    await eventually(async () => (await app.stateOf(before)) === 'SUCCEEDED');
    await redis.down();
    const id = await app.launch('during');
    expect(await app.ready()).toEqual({ code: 200, body: degraded });
    expect(await app.stateOf(id)).toBe('QUEUED');
    await redis.up();
    await eventually(async () => (await app.stateOf(id)) === 'SUCCEEDED', 15_000);
    expect(await app.ready()).toEqual({ code: 200, body: well });
    // Told once each, however many connections notice how often.
    const told = app.logged().filter((line) => /^Redis is/.test(line));
    expect(told).toEqual([
      'Redis is away: work waits in PostgreSQL, and goes on when it is back',
      'Redis is there again',
    ]);
  });

  it('subscribers still see what happens, by polling', async () => {
    const app = await start();
    await redis.down();
    const id = await app.launch('watched');
    const query = 'subscription ($id: ID!) { jobEvents(jobId: $id, afterSeq: 0) { seq state } }';
    const seen: unknown[] = [];
    const watching = (async () => {
      for await (const { data } of app.socketClient().iterate({ query, variables: { id } })) seen.push(data?.jobEvents);
    })();
    await eventually(() => seen.some((event) => JSON.stringify(event) === '{"seq":1,"state":"QUEUED"}'));
    await app.ask('mutation ($id: ID!) { cancelJob(input: { id: $id }) { job { state } } }', { id });
    await watching;
    expect(seen.at(-1)).toEqual({ seq: 2, state: 'CANCELLED' });
  });

  it('a process starts, takes work, and does it once Redis is there', async () => {
    await redis.down();
    const app = await start();
    const id = await app.launch('at_start');
    expect(await app.ready()).toEqual({ code: 200, body: degraded });
    await redis.up();
    await eventually(async () => (await app.stateOf(id)) === 'SUCCEEDED', 20_000);
    const answer = await app.ready();
    expect(answer).toEqual({ code: 200, body: well });
  });

  it('a process stops in order', async () => {
    const app = await start();
    await redis.down();
    await app.stop();
    expect(app.logged()).not.toContain('a part did not stop cleanly');
    await expect(app.ready()).rejects.toThrow();
  });
});

describe('a Redis that has gone silent', () => {
  it('keeps nobody waiting, and is gone on with when it speaks again', async () => {
    const app = await start();
    redis.silence();
    const id = await app.launch('silent');
    expect(await app.ready()).toEqual({ code: 200, body: degraded });
    await redis.up();
    await eventually(async () => (await app.stateOf(id)) === 'SUCCEEDED', 20_000);
  });
});

describe('a Redis that is there', () => {
  it('and turns us away is told at once: waiting would not help', async () => {
    const url = new URL(redis.url);
    [url.username, url.password] = ['nobody', 'wrong'];
    await expect(startTestApp({ DATABASE_URL: database.url, REDIS_URL: url.href })).rejects.toMatchObject({
      code: 'QUEUE_UNREACHABLE',
      message: expect.stringMatching(/^Redis turns Sluice away \(WRONGPASS .*: check REDIS_URL\.$/),
    });
  });

  it('and may throw hints away is warned of', async () => {
    // No such policy has ten letters, but Redis itself would take none but its own.
    const evicting = await startTcpProxy(inject('redisUrl'), (said) =>
      Buffer.from(said.toString('latin1').replace(/(?<=maxmemory_policy:)\w{10}(?=\r)/, 'everything'), 'latin1'),
    );
    const app = await startTestApp({ DATABASE_URL: database.url, REDIS_URL: evicting.url });
    const warned = () => app.logged().filter((line) => line.includes('maxmemory-policy'));
    await eventually(() => warned().length > 0);
    expect(warned()).toEqual([
      'Redis may throw hints away under its maxmemory-policy everything, and jobs then wait for the sweeper: set it to noeviction',
    ]);
    await app.stop();
    await evicting.close();
  });
});
