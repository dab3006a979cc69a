import { afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { freshDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { deleteKeys } from '../support/redis.js';
import { startTestApp, stopAppsAfterEach } from '../support/running-app.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';

const ENOUGH = 90_000;

let database: TestDatabase;
let server: TcpProxy;
beforeAll(async () => {
  database = await freshDatabase();
});
beforeEach(async () => {
  server = await startTcpProxy(database.url);
});
afterEach(() => server.close());
stopAppsAfterEach();

const count = async (table: string) =>
  (await database.pool.query<{ n: number }>(`select count(*)::int as n from public.${table}`)).rows[0]?.n;

/** Holds every load into the table up. @returns what lets them go */
async function locked(table: string) {
  await database.pool.query(`create table public.${table} (id bigint)`);
  const client = await database.pool.connect();
  await client.query(`begin; lock table public.${table} in access exclusive mode`);
  return async () => {
    await client.query('commit');
    client.release();
  };
}

async function isWaitedFor(table: string): Promise<boolean> {
  const { rows } = await database.pool.query(`select from pg_locks where relation = to_regclass($1) and not granted`, [
    `public.${table}`,
  ]);
  return rows.length > 0;
}

const jobs = '{ jobs(first: 1) { totalCount } }';

describe.each([
  ['Postgres', 'postgres', () => ({})],
  ['Redis', 'redis', () => ({ REDIS_URL: inject('redisUrl') })],
] as const)('with the queue on %s, a database that goes away', (_engine, word, queue) => {
  const start = () => startTestApp({ DATABASE_URL: server.url, ...queue() });
  afterEach(async () => {
    const { rows } = await database.pool.query<{ id: string }>('select id::text as id from sluice.installation');
    await deleteKeys(inject('redisUrl'), `sluice-${rows[0]?.id.slice(0, 8)}`);
  });

  it('is told to callers in a word, and everything goes on when it is back', { timeout: ENOUGH }, async () => {
    const app = await start();
    const first = await app.launch(`${word}_before`);
    await eventually(async () => (await app.stateOf(first)) === 'SUCCEEDED', ENOUGH);
    await server.down();
    const answer = await app.ask(jobs);
    expect(answer.errors).toMatchObject([{ extensions: { code: 'UNAVAILABLE', class: 'TRANSIENT' } }]);
    expect(JSON.stringify(answer)).not.toMatch(/ECONN|127\.0\.0\.1|:\d+:\d+/);
    expect(await app.ready()).toMatchObject({
      code: 503,
      body: { status: 'unavailable', checks: { database: 'down' } },
    });
    await expect(app.launch(`${word}_during`)).rejects.toThrow('UNAVAILABLE');
    await server.up();
    await eventually(async () => (await app.ready()).code === 200, ENOUGH);
    const second = await app.launch(`${word}_after`);
    await eventually(async () => (await app.stateOf(second)) === 'SUCCEEDED', ENOUGH);
    await eventually(async () => JSON.stringify((await app.ready()).body).includes('"status":"ok"'), ENOUGH);
  });

  it('costs a job that is being loaded no attempt, and no row', { timeout: ENOUGH }, async () => {
    const app = await start();
    const table = `${word}_held`;
    const unlock = await locked(table);
    const id = await app.launch(table, { steps: [{ cast: { columns: [{ name: 'id', type: 'BIGINT' }] } }] });
    await eventually(() => isWaitedFor(table), ENOUGH);
    await server.down();
    await unlock();
    // Until the worker has noticed: it lets go of the job, and cannot tell anybody.
    await eventually(() => app.logged().includes('a job was let go of'), ENOUGH);
    await server.up();
    // Six seconds pass.
    await database.pool.query(
      `update sluice.chunk set lease_until = statement_timestamp() where lease_until is not null`,
    );
    await database.pool.query(
      `update sluice.job set lease_until = statement_timestamp(), updated_at = statement_timestamp() - interval '6 s'
       where state = 'RUNNING'`,
    );
    await eventually(async () => (await app.stateOf(id)) === 'SUCCEEDED', ENOUGH);
    const { rows } = await database.pool.query('select attempt from sluice.job where id = $1', [id]);
    expect(rows).toEqual([{ attempt: 1 }]);
    expect(await count(table)).toBe(10);
  });
});

describe('a database that has gone silent', () => {
  it('keeps no caller waiting, and is gone on with when it speaks again', { timeout: ENOUGH }, async () => {
    const app = await startTestApp({ DATABASE_URL: server.url });
    server.silence();
    const answers = await Promise.all([app.ask(jobs), app.ask(jobs), app.ask(jobs)]);
    const told = { status: 503, errors: [{ extensions: { code: 'UNAVAILABLE' } }] };
    expect(answers).toMatchObject([told, told, told]);
    expect(await app.ready()).toMatchObject({ code: 503 });
    await server.up();
    const id = await app.launch('after_silence');
    await eventually(async () => (await app.stateOf(id)) === 'SUCCEEDED', ENOUGH);
  });
});
