import { beforeAll, describe, expect, test } from 'vitest';
import { createPool, withTransaction } from '../../src/store/pool.js';
import { freshDatabase, type TestDatabase } from '../support/database.js';

let database: TestDatabase;

beforeAll(async () => {
  database = await freshDatabase();
  await database.pool.query('create table public.kept (n int)');
});

const kept = async () =>
  (await database.pool.query<{ n: number }>('select n from kept order by n')).rows.map(({ n }) => n);

test('bigint, numeric, timestamptz and jsonb lose nothing on their way', async () => {
  const { rows } = await database.pool.query(`
    select 9223372036854775807::bigint as big, 0.1000000000000000000001::numeric as exact,
      '2026-11-23T10:00:00.123Z'::timestamptz as at, '{"a": [1]}'::jsonb as json, 7::int as small`);
  expect(rows).toEqual([
    {
      big: 9_223_372_036_854_775_807n,
      exact: '0.1000000000000000000001',
      at: new Date('2026-11-23T10:00:00.123Z'),
      json: { a: [1] },
      small: 7,
    },
  ]);
});

describe('a transaction', () => {
  test('is committed when its function resolves', async () => {
    const answer = await withTransaction(database.pool, async (client) => {
      await client.query('insert into kept values (1)');
      return 'done';
    });
    expect(answer).toBe('done');
    expect(await kept()).toEqual([1]);
  });

  test('is rolled back when it throws, and the connection serves the next one', async () => {
    const failing = withTransaction(database.pool, async (client) => {
      await client.query('insert into kept values (2)');
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    expect(await kept()).toEqual([1]);
  });

  test('whose connection is lost is not kept in the pool', async () => {
    const lost = withTransaction(database.pool, async (client) => {
      await client.query('insert into kept values (3)');
      await client.query('select pg_terminate_backend(pg_backend_pid())');
    });
    await expect(lost).rejects.toThrow();
    expect(await kept()).toEqual([1]);
  });
});

test('a transaction whose process falls silent gives its locks up, and is not committed', async () => {
  await database.pool.query('create table public.locked (n int); insert into locked values (0)');
  const pool = createPool(database.url, { max: 1, applicationName: 'sluice silent test', idleInTransactionMs: 100 });
  let speak: () => void = () => undefined;
  const silence = new Promise<void>((resolve) => {
    speak = resolve;
  });
  let isLocked: () => void = () => undefined;
  const locked = new Promise<void>((resolve) => {
    isLocked = resolve;
  });
  const silent = withTransaction(pool, async (client) => {
    await client.query('update locked set n = n + 1');
    isLocked();
    await silence;
    await client.query('update locked set n = n + 1');
  });
  await locked;
  // Waits for the lock of the silent one.
  await database.pool.query('update locked set n = n + 10');
  speak();
  await expect(silent).rejects.toThrow();
  expect((await pool.query('select n from locked')).rows).toEqual([{ n: 10 }]);
  await pool.end();
});

test('an idle connection that the server closes is told and replaced, and ends nothing', async () => {
  let tell: (error: Error) => void = () => undefined;
  const told = new Promise<Error>((resolve) => {
    tell = resolve;
  });
  const pool = createPool(database.url, {
    max: 1,
    applicationName: 'sluice idle test',
    onIdleError: (error) => tell(error),
  });
  await pool.query('select 1');
  await database.pool.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'sluice idle test'",
  );
  expect((await told).message).toMatch(/terminat/);
  expect((await pool.query('select 1 as n')).rows).toEqual([{ n: 1 }]);
  await pool.end();
});
