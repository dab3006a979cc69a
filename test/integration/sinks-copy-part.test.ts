import { beforeAll, describe, expect, it } from 'vitest';
import { copyPart } from '../../src/engine/sinks/copy-part.js';
import { type Pool, type PoolClient, withTransaction } from '../../src/store/pool.js';
import { emptyDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { type SinkHome, sinkHome } from '../support/load-parts.js';

const whole = (uri: string) => ({ uri, offset: 0, bytes: Number.MAX_SAFE_INTEGER });

let pool: Pool;
let home: SinkHome;
const never = new AbortController().signal;

beforeAll(async () => {
  ({ pool } = await emptyDatabase());
  home = await sinkHome();
});

async function copy(table: string, columns: readonly string[], text: string, signal = never) {
  const { uri } = await home.part(0, text);
  return withTransaction(pool, (client) =>
    copyPart(client, whole(uri), { schema: 'public', name: table }, columns, signal),
  );
}

/** The client answers, so it is not in copy mode. */
async function isUsable(client: PoolClient) {
  await client.query('ROLLBACK');
  expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
}

describe('values', () => {
  it('copies every text exactly: escapes, a lone \\., unicode, empty and NULL', async () => {
    await pool.query('CREATE TABLE texts (id integer, v text)');
    const lines = [
      '1\t\\\\.',
      '2\ta\\tb\\nc\\rd\\\\e',
      '3\t',
      '4\t\\N',
      '5\t\\\\N',
      '6\t😀 "q" \'a\' ;',
      '7\t\\\\.\\n\\\\.',
    ];
    expect(await copy('texts', ['id', 'v'], `${lines.join('\n')}\n`)).toBe(7);
    const { rows } = await pool.query<{ v: string | null }>('SELECT v FROM texts ORDER BY id');
    expect(rows.map((row) => row.v)).toEqual(['\\.', 'a\tb\nc\rd\\e', '', null, '\\N', `😀 "q" 'a' ;`, '\\.\n\\.']);
  });

  it('copies dates before Christ, infinity, NaN, bytes and 64-bit numbers', async () => {
    await pool.query('CREATE TABLE extremes (d date, t timestamptz, f float8, n numeric, b bytea, i bigint)');
    const text =
      '0044-03-15 BC\t0001-01-01 00:00:00+00\tNaN\tNaN\t\\\\x00ff\t9223372036854775807\n' +
      'infinity\t-infinity\t-Infinity\t123456789012345678901234567890.5\t\\\\x\t-9223372036854775808\n';
    expect(await copy('extremes', ['d', 't', 'f', 'n', 'b', 'i'], text)).toBe(2);
    const { rows } = await pool.query('SELECT d::text, t::text, f::text, n::text, b::text, i::text FROM extremes');
    expect(rows).toMatchObject([
      { d: '0044-03-15 BC', f: 'NaN', n: 'NaN', b: '\\x00ff', i: '9223372036854775807' },
      {
        d: 'infinity',
        t: '-infinity',
        f: '-Infinity',
        n: '123456789012345678901234567890.5',
        b: '\\x',
        i: '-9223372036854775808',
      },
    ]);
  });

  it('copies a part of many blocks, and one of none', async () => {
    await pool.query('CREATE TABLE many (id integer, v text)');
    const text = Array.from({ length: 60_000 }, (_, i) => `${i}\t${'x'.repeat(60)}\n`).join('');
    expect(text.length).toBeGreaterThan(4_000_000);
    expect(await copy('many', ['id', 'v'], text)).toBe(60_000);
    expect(await copy('many', ['id', 'v'], '')).toBe(0);
    expect(await copy('many', ['id'], '1')).toBe(1);
  });
});

describe('refusals', () => {
  beforeAll(() => pool.query('CREATE TABLE strict (id integer PRIMARY KEY, v text)'));

  it.each([
    ['x\ta\n', '22P02', 'line 1, column id'],
    ['1\ta\n2\tb\n1\tc\n', '23505', 'line 3'],
    ['1\n', '22P04', 'line 1'],
    ['1\ta\\000b\n', '22021', 'line 1'],
    ['\\.\n1\ta\n', '', ''],
  ])('of %j keep SQLSTATE and line', async (text, code, where) => {
    if (code === '') {
      // Before PostgreSQL 18 a bare end-of-data mark ends the copy, since then it may be an error: never a crash.
      await copy('strict', ['id', 'v'], text).catch((error: unknown) => expect(error).toBeInstanceOf(Error));
    } else {
      await expect(copy('strict', ['id', 'v'], text)).rejects.toMatchObject({
        code,
        where: expect.stringContaining(where),
      });
    }
    expect((await pool.query('SELECT count(*) FROM strict')).rows).toEqual([{ count: 0n }]);
  });

  it('come through while many blocks are still to be sent', async () => {
    const text = `x\ta\n${`1\t${'y'.repeat(1000)}\n`.repeat(20_000)}`;
    await expect(copy('strict', ['id', 'v'], text)).rejects.toMatchObject({ code: '22P02' });
    await expect(copy('missing', ['id', 'v'], text)).rejects.toMatchObject({ code: '42P01' });
  });

  it('name the part that is missing or unreadable', async () => {
    await withTransaction(pool, async (client) => {
      const table = { schema: 'public', name: 'strict' };
      await expect(copyPart(client, whole(`${home.home}/nope`), table, ['id'], never)).rejects.toMatchObject({
        code: 'INTERNAL',
        message: expect.stringContaining('nope'),
      });
      await expect(copyPart(client, whole(home.home), table, ['id', 'v'], never)).rejects.toMatchObject({
        code: 'EISDIR',
      });
      await isUsable(client);
    });
  });

  it('survive the loss of the connection', async () => {
    const client = await pool.connect();
    client.on('error', () => {});
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const big = await home.part(0, `1\t${'y'.repeat(1000)}\n`.repeat(200_000));
    await pool.query('CREATE TABLE lost (id integer, v text)');
    await client.query('BEGIN');
    const copying = copyPart(client, whole(big.uri), { schema: 'public', name: 'lost' }, ['id', 'v'], never);
    const pid = rows[0]?.pid;
    const running = `SELECT FROM pg_stat_activity WHERE pid = $1 AND query LIKE 'COPY%' AND state = 'active'`;
    const killed = eventually(async () => (await pool.query(running, [pid])).rowCount === 1).then(() =>
      pool.query('SELECT pg_terminate_backend($1)', [pid]),
    );
    await expect(copying).rejects.toThrow();
    await killed;
    client.release(true);
  });
});

describe('an abort', () => {
  const table = { schema: 'public', name: 'slow' };
  beforeAll(() => pool.query('CREATE TABLE slow (id integer, v text)'));

  async function aborted(
    during: (client: PoolClient, controller: AbortController, pid: number) => Promise<{ copying: Promise<unknown> }>,
  ) {
    const client = await pool.connect();
    try {
      const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      const controller = new AbortController();
      await client.query('BEGIN');
      const { copying } = await during(client, controller, rows[0]?.pid ?? 0);
      controller.abort(new Error('told to stop'));
      await expect(copying).rejects.toThrow('told to stop');
      await isUsable(client);
    } finally {
      client.release();
    }
    expect((await pool.query('SELECT count(*) FROM slow')).rows).toEqual([{ count: 0n }]);
  }
  const state = async (pid: number, condition: string) =>
    (await pool.query(`SELECT FROM pg_stat_activity WHERE pid = $1 AND ${condition}`, [pid])).rowCount === 1;

  it('before the start reads nothing', () =>
    aborted(async (client, controller) => {
      controller.abort(new Error('told to stop'));
      const copying = copyPart(client, whole(`${home.home}/nope`), table, ['id'], controller.signal);
      copying.catch(() => {});
      return { copying };
    }));

  it('ends a copy that is running', () =>
    aborted(async (client, controller, pid) => {
      const { uri } = await home.part(0, `1\t${'y'.repeat(1000)}\n`.repeat(200_000));
      const copying = copyPart(client, whole(uri), table, ['id', 'v'], controller.signal);
      copying.catch(() => {});
      await eventually(() => state(pid, `query LIKE 'COPY%' AND state = 'active'`));
      return { copying };
    }));

  it('ends a copy that waits for a lock', async () => {
    const blocker = await pool.connect();
    try {
      await blocker.query('BEGIN');
      await blocker.query('LOCK TABLE slow IN SHARE MODE');
      await aborted(async (client, controller, pid) => {
        const { uri } = await home.part(0, '1\ta\n');
        const copying = copyPart(client, whole(uri), table, ['id', 'v'], controller.signal);
        copying.catch(() => {});
        await eventually(() => state(pid, `wait_event_type = 'Lock'`));
        return { copying };
      });
    } finally {
      await blocker.query('ROLLBACK');
      blocker.release();
    }
  });

  it('ends a copy that has sent everything and waits for the server', async () => {
    await pool.query(
      `CREATE FUNCTION nap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(30); RETURN NEW; END $$`,
    );
    await pool.query('CREATE TRIGGER nap BEFORE INSERT ON slow FOR EACH ROW EXECUTE FUNCTION nap()');
    await aborted(async (client, controller, pid) => {
      const { uri } = await home.part(0, '1\ta\n');
      const copying = copyPart(client, whole(uri), table, ['id', 'v'], controller.signal);
      copying.catch(() => {});
      await eventually(() => state(pid, `wait_event = 'PgSleep'`));
      return { copying };
    });
    await pool.query('DROP TRIGGER nap ON slow');
  });
});
