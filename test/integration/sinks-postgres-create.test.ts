import { beforeAll, describe, expect, it } from 'vitest';
import { postgresSink } from '../../src/engine/sinks/postgres.js';
import type { Pool } from '../../src/store/pool.js';
import { emptyDatabase } from '../support/database.js';
import { bindSink, columnsOf, loadJob, type Row, type SinkHome, sinkHome } from '../support/load-parts.js';

let pool: Pool;
let home: SinkHome;

beforeAll(async () => {
  ({ pool } = await emptyDatabase());
  home = await sinkHome();
});

const sql = (text: string) => pool.query(text);
const rowsOf = async (table: string) =>
  (await pool.query({ text: `SELECT * FROM ${table} ORDER BY 1`, rowMode: 'array' })).rows as Row[];
const create = (table: string, options: object = {}, output = 'id INTEGER, v VARCHAR') =>
  loadJob(pool, home, bindSink(postgresSink, { table, createTable: true, ...options }), columnsOf(output));
const leftovers = async () => (await sql(`SELECT relname FROM pg_class WHERE relname LIKE '\\_sluice%'`)).rows;

describe('createTable', () => {
  it('makes the table appear with all its rows, typed after the output', async () => {
    const types =
      `b BOOLEAN, t TINYINT, ui UINTEGER, ub UBIGINT, h HUGEINT, d DECIMAL(12,2), f FLOAT, g DOUBLE, s VARCHAR,
      day DATE, at TIMESTAMP, ns TIMESTAMP_NS, tz TIMESTAMP WITH TIME ZONE, u UUID, j JSON, l INTEGER[], st STRUCT(a INTEGER, b VARCHAR),
      x BLOB, e ENUM('a', 'b'), i INTERVAL`.replaceAll(/\s+/g, ' ');
    const load = create('typed', {}, types);
    expect((await load.inspect()).columns).toBeNull();
    await load.prepare();
    expect(load.prepared()).toMatchObject({ ending: 'CREATE' });
    expect((await sql(`SELECT to_regclass('typed') AS oid`)).rows).toEqual([{ oid: null }]);
    const row = [
      't',
      1,
      4294967295,
      '18446744073709551615',
      '-170141183460469231731687303715884105728',
      '1.50',
      1.5,
      1.5,
      'x',
      '2020-01-02',
      '2020-01-02 03:04:05',
      '2020-01-02 03:04:05',
      '2020-01-02 03:04:05+00',
      '00000000-0000-0000-0000-000000000001',
      '{}',
      '[1]',
      '{"a": 1}',
      '\\x00',
      'a',
      '1 day',
    ];
    expect(await load.load(await home.part(0, `${row.map((v) => String(v).replace('\\', '\\\\')).join('\t')}\n`))).toBe(
      1,
    );
    await load.publish();
    const { rows } = await sql(
      `SELECT format_type(atttypid, atttypmod) AS type FROM pg_attribute WHERE attrelid = 'typed'::regclass AND attnum > 0`,
    );
    expect(rows.map((each: { type: string }) => each.type)).toEqual([
      'boolean',
      'smallint',
      'bigint',
      'numeric(20,0)',
      'numeric(39,0)',
      'numeric(12,2)',
      'real',
      'double precision',
      'text',
      'date',
      'timestamp without time zone',
      'timestamp without time zone',
      'timestamp with time zone',
      'uuid',
      'jsonb',
      'jsonb',
      'jsonb',
      'bytea',
      'text',
      'interval',
    ]);
    expect(await leftovers()).toEqual([]);
  });

  it('gives the table a primary key for UPSERT, so that the next load upserts', async () => {
    const options = { mode: 'UPSERT', key: ['id'] };
    await create('upserted', options).run([[1, 'a']], [[2, 'b']]);
    const again = create('upserted', options);
    await again.run([[2, 'c']], [[3, 'd']]);
    expect(again.prepared()).toMatchObject({ ending: 'DIRECT' });
    expect(await rowsOf('upserted')).toEqual([
      [1, 'a'],
      [2, 'c'],
      [3, 'd'],
    ]);
    expect(
      (await sql(`SELECT conname, contype FROM pg_constraint WHERE conrelid = 'upserted'::regclass AND contype = 'p'`))
        .rows,
    ).toEqual([{ conname: 'upserted_pkey', contype: 'p' }]);
  });

  it('leaves nothing behind when the job fails', async () => {
    const load = create('never');
    await load.prepare();
    await expect(load.load(await home.part(0, 'x\ta\n'))).rejects.toMatchObject({
      code: 'TARGET_INCOMPATIBLE',
      details: { sqlState: '22P02', where: expect.stringContaining('line 1, column id') },
    });
    await load.discard();
    await load.discard();
    expect(await leftovers()).toEqual([]);
    expect((await sql(`SELECT to_regclass('never') AS oid`)).rows).toEqual([{ oid: null }]);
  });

  it.each([
    ['APPEND', {}, 300],
    ['UPSERT', { key: ['id'] }, 100],
    ['REPLACE', {}, 100],
  ])('lets three jobs create one table at once with %s', async (mode, options, count) => {
    const table = `raced_${mode}`;
    const run = (v: string) =>
      create(table, { mode, ...options }).run(Array.from({ length: 100 }, (_, id): Row => [id, v]));
    const loads = ['a', 'b', 'c'].map(async (v) => {
      const load = create(table, { mode, ...options });
      await load.prepare();
      return { load, v };
    });
    // All of them have seen no table before the first one publishes.
    const prepared = await Promise.all(loads);
    await Promise.all(
      prepared.map(async ({ load, v }) => {
        await load.load(await home.part(0, Array.from({ length: 100 }, (_, id) => `${id}\t${v}\n`).join('')));
        await load.publish();
      }),
    );
    const query = `SELECT count(*)::int AS n, count(DISTINCT id)::int AS ids FROM "${table}"`;
    expect((await sql(query)).rows).toEqual([{ n: count, ids: 100 }]);
    expect(await run('d')).toBe(100);
    expect(await leftovers()).toEqual([]);
  });

  it('inserts when somebody else has created the table meanwhile, and says when it does not fit', async () => {
    const fits = create('meanwhile');
    const differs = create('meanwhile', {}, 'id INTEGER, other VARCHAR');
    const noKey = create('meanwhile', { mode: 'UPSERT', key: ['id'] });
    for (const load of [fits, differs, noKey]) await load.prepare();
    for (const load of [fits, differs, noKey]) await load.load(await home.part(0, '1\ta\n'));
    await sql('CREATE TABLE meanwhile (v text, id bigint, extra text)');
    await fits.publish();
    expect(await rowsOf('meanwhile')).toEqual([['a', 1n, null]]);
    await expect(differs.publish()).rejects.toMatchObject({ code: 'TARGET_INCOMPATIBLE' });
    await expect(noKey.publish()).rejects.toMatchObject({ code: 'TARGET_INCOMPATIBLE' });
    await differs.discard();
    await noKey.discard();
    expect(await leftovers()).toEqual([]);
  });

  it('inserts when a transaction that is not ours creates the table while it publishes', async () => {
    const load = create('faster');
    await load.prepare();
    await load.load(await home.part(0, '1\ta\n'));
    const other = await pool.connect();
    try {
      await other.query('BEGIN; CREATE TABLE faster (id integer, v text)');
      const publishing = load.publish();
      publishing.catch(() => {});
      await expect
        .poll(
          async () =>
            (await sql(`SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`))
              .rowCount,
          { interval: 10 },
        )
        .toBe(1);
      await other.query('COMMIT');
      await publishing;
    } finally {
      other.release();
    }
    expect(await rowsOf('faster')).toEqual([[1, 'a']]);
    expect(await leftovers()).toEqual([]);
  });
});
