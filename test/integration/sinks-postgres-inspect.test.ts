import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SluiceError, UserErrors } from '../../src/core/errors.js';
import { postgresSink } from '../../src/engine/sinks/postgres.js';
import type { Pool } from '../../src/store/pool.js';
import { emptyDatabase, onServer } from '../support/database.js';
import { bindSink, columnsOf, loadJob, type SinkHome, sinkHome } from '../support/load-parts.js';

const role = `sluice_loader_${process.pid}`;
let pool: Pool;
let limited: Pool;
let home: SinkHome;

beforeAll(async () => {
  const database = await emptyDatabase();
  pool = database.pool;
  home = await sinkHome();
  await onServer(`CREATE ROLE ${role} LOGIN`);
  await pool.query('REVOKE ALL ON SCHEMA public FROM PUBLIC');
  limited = new pg.Pool({ connectionString: database.url, options: `-c role=${role}`, max: 2 });
});
afterAll(async () => {
  await limited.end();
  await pool.query(`DROP OWNED BY ${role}`);
  await onServer(`DROP ROLE ${role}`);
});

const sql = (text: string) => pool.query(text);
const inspect = (options: object, output: string, as = pool) =>
  loadJob(as, home, bindSink(postgresSink, options), columnsOf(output)).inspect();
const failure = async (options: object, output: string, as = pool): Promise<SluiceError> => {
  const error: unknown = await inspect(options, output, as).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ name: 'SluiceError' });
  // Checked by the line above.
  return error as SluiceError;
};

describe('the options', () => {
  it.each([
    [{ table: 't', schema: 'sluice' }, 'TARGET_NOT_ALLOWED', ['sink', 'postgres', 'schema']],
    [{ table: 't', schema: 'sluice_queue' }, 'TARGET_NOT_ALLOWED', ['sink', 'postgres', 'schema']],
    [{ table: 't', schema: 'pg_catalog' }, 'TARGET_NOT_ALLOWED', ['sink', 'postgres', 'schema']],
    [{ table: 't', schema: 'information_schema' }, 'TARGET_NOT_ALLOWED', ['sink', 'postgres', 'schema']],
    [{ table: '_sluice_x' }, 'TARGET_NOT_ALLOWED', ['sink', 'postgres', 'table']],
    [{ table: 'ü'.repeat(32) }, 'INVALID_INPUT', ['sink', 'postgres', 'table']],
    [{ table: '' }, 'INVALID_INPUT', ['sink', 'postgres', 'table']],
    [{ table: 'a\0b' }, 'INVALID_INPUT', ['sink', 'postgres', 'table']],
    [{ table: 't', mode: 'UPSERT', key: ['a', 'a'] }, 'INVALID_INPUT', ['sink', 'postgres', 'key', 1]],
    [{ table: 't', key: ['a'] }, 'INVALID_INPUT', ['sink', 'postgres', 'key']],
    [{ table: 't', tabel: 'x' }, 'INVALID_INPUT', ['sink', 'postgres']],
  ])('%j are refused with their path', (options, code, path) => {
    let thrown: unknown;
    try {
      bindSink(postgresSink, options);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(UserErrors);
    expect(thrown).toMatchObject({ errors: [{ code, path }] });
  });
});

describe('the target', () => {
  it('is looked for by its exact name, with hints', async () => {
    await sql('CREATE TABLE "Orders" (id integer); CREATE SCHEMA sales');
    expect(await failure({ table: 'orders' }, 'id INTEGER')).toMatchObject({
      code: 'TARGET_NOT_FOUND',
      path: ['table'],
      message: expect.stringContaining('Did you mean "Orders"?'),
    });
    expect(await failure({ table: 't', schema: 'sale', createTable: true }, 'id INTEGER')).toMatchObject({
      code: 'TARGET_NOT_FOUND',
      path: ['schema'],
      message: expect.stringContaining('"sales"'),
    });
  });

  it.each([
    ['a view', 'CREATE VIEW kind_v AS SELECT 1 AS id', 'kind_v'],
    ['a materialized view', 'CREATE MATERIALIZED VIEW kind_m AS SELECT 1 AS id', 'kind_m'],
    ['a sequence', 'CREATE SEQUENCE kind_s', 'kind_s'],
    ['a composite type', 'CREATE TYPE kind_c AS (id integer)', 'kind_c'],
    ['an index', 'CREATE TABLE kind_t (id integer PRIMARY KEY)', 'kind_t_pkey'],
    [
      'a foreign table',
      'CREATE FOREIGN DATA WRAPPER w; CREATE SERVER srv FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE kind_f (id integer) SERVER srv',
      'kind_f',
    ],
  ])('may not be %s', async (what, ddl, table) => {
    await sql(ddl);
    for (const createTable of [true, false]) {
      const error = await failure({ table, createTable }, 'id INTEGER');
      expect(error).toMatchObject({ code: 'TARGET_NOT_ALLOWED', message: expect.stringContaining(what) });
    }
  });

  it('tells the type to cast to for every column', async () => {
    await sql(`
      CREATE TYPE mood AS ENUM ('sad', 'it''s fine');
      CREATE DOMAIN short AS varchar(5) NOT NULL; CREATE DOMAIN shorter AS short; CREATE DOMAIN money2 AS numeric(10,2) DEFAULT 0;
      CREATE TABLE types (a smallint, b integer NOT NULL, c bigint, d numeric(12,2), e numeric, f numeric(50,10), g text, h varchar(7),
        i char(3), j boolean, k date, l time, m timetz, n timestamp(3), o timestamptz, p real, q double precision, r uuid, s json,
        t jsonb, u bytea, v interval, w mood, x shorter, y money2, z integer[], aa inet, ab name, ac bpchar, ad varchar, ae numeric(2,-1), af "char")`);
    const { columns } = await inspect({ table: 'types' }, 'b INTEGER, x VARCHAR');
    const told = Object.fromEntries((columns ?? []).map((c) => [c.name, [c.type, c.maxLength, c.nullable]]));
    expect(told).toEqual({
      a: ['SMALLINT', null, true],
      b: ['INTEGER', null, false],
      c: ['BIGINT', null, true],
      d: ['DECIMAL(12,2)', null, true],
      e: ['NUMERIC_TEXT', null, true],
      f: ['NUMERIC_TEXT', null, true],
      g: ['VARCHAR', null, true],
      h: ['VARCHAR', 7, true],
      i: ['VARCHAR', 3, true],
      j: ['BOOLEAN', null, true],
      k: ['DATE', null, true],
      l: ['TIME', null, true],
      m: ['VARCHAR', null, true],
      n: ['TIMESTAMP', null, true],
      o: ['TIMESTAMPTZ', null, true],
      p: ['FLOAT', null, true],
      q: ['DOUBLE', null, true],
      r: ['UUID', null, true],
      s: ['JSON', null, true],
      t: ['JSON', null, true],
      u: ['BLOB', null, true],
      v: ['INTERVAL', null, true],
      w: ['VARCHAR', null, true],
      x: ['VARCHAR', 5, false],
      y: ['DECIMAL(10,2)', null, true],
      z: ['VARCHAR', null, true],
      aa: ['VARCHAR', null, true],
      ab: ['VARCHAR', 63, true],
      ac: ['VARCHAR', null, true],
      ad: ['VARCHAR', null, true],
      ae: ['NUMERIC_TEXT', null, true],
      af: ['VARCHAR', null, true],
    });
    expect(columns?.find((column) => column.name === 'w')?.labels).toEqual(['sad', `it's fine`]);
    expect(columns?.find((column) => column.name === 'd')?.nativeType).toBe('numeric(12,2)');
  });

  it('is held against the output, with all problems at once', async () => {
    await sql(`CREATE TABLE strict (id integer GENERATED ALWAYS AS IDENTITY, "Name" text NOT NULL, n integer NOT NULL, made integer NOT NULL DEFAULT 1,
      twice integer GENERATED ALWAYS AS (n * 2) STORED)`);
    const error = await failure({ table: 'strict', mode: 'UPSERT' }, 'id INTEGER, name VARCHAR, twice INTEGER');
    expect(error).toMatchObject({ code: 'TARGET_INCOMPATIBLE', failureClass: 'PIPELINE_DECISION' });
    for (const said of [
      'has no column "name". Did you mean "Name"?',
      '"Name" of "public"."strict" is NOT NULL',
      '"n" of',
      '"id" of "public"."strict" is generated',
      '"twice"',
      'has no primary key',
    ]) {
      expect(error.message).toContain(said);
    }
    expect(error.details?.problems).toHaveLength(6);
    expect(error.message).not.toContain('"made"');
  });

  it('needs a unique index over exactly the key for UPSERT, and says how to make one', async () => {
    await sql(`CREATE TABLE no_key (a integer, b integer, c integer UNIQUE DEFERRABLE); CREATE UNIQUE INDEX ON no_key (a) WHERE b > 0;
      CREATE UNIQUE INDEX ON no_key ((a + b)); CREATE UNIQUE INDEX ON no_key (a, b)`);
    for (const key of [['a'], ['c'], ['b']]) {
      expect(await failure({ table: 'no_key', mode: 'UPSERT', key }, 'a INTEGER, b INTEGER, c INTEGER')).toMatchObject({
        code: 'TARGET_INCOMPATIBLE',
        path: ['key'],
        message: expect.stringContaining(`ALTER TABLE "public"."no_key" ADD UNIQUE ("${key[0]}")`),
      });
    }
    expect((await inspect({ table: 'no_key', mode: 'UPSERT', key: ['b', 'a'] }, 'a INTEGER, b INTEGER')).key).toEqual([
      'b',
      'a',
    ]);
    expect(await failure({ table: 'no_key', mode: 'UPSERT', key: ['a', 'b'] }, 'a INTEGER')).toMatchObject({
      code: 'UNKNOWN_COLUMN',
    });
    expect(await failure({ table: 'no_key', mode: 'UPSERT', key: ['nope'] }, 'a INTEGER')).toMatchObject({
      path: ['key'],
    });
  });

  it('that is created needs names that PostgreSQL takes, and a key in the output', async () => {
    const options = { table: 'created', createTable: true };
    const long = 'x'.repeat(64);
    const error = await failure(
      { ...options, mode: 'UPSERT', key: ['id'] },
      `ctid INTEGER, ${long} INTEGER, a INTEGER, a INTEGER`,
    );
    expect(error).toMatchObject({ code: 'UNKNOWN_COLUMN' });
    for (const said of ['"ctid"', long, 'twice', '"id" is not in the output']) expect(error.message).toContain(said);
    expect(await failure({ ...options, mode: 'UPSERT' }, 'a INTEGER')).toMatchObject({ path: ['key'] });
  });
});

describe('privileges', () => {
  it('are checked before anything is read', async () => {
    await sql('CREATE TABLE guarded (id integer PRIMARY KEY, v text)');
    const problem = (mode: string) => failure({ table: 'guarded', mode }, 'id INTEGER, v VARCHAR', limited);
    const lacking = { code: 'TARGET_NOT_ALLOWED' };
    expect(await problem('APPEND')).toMatchObject({
      ...lacking,
      message: expect.stringMatching(/lacks USAGE on the schema "public", INSERT\./),
    });
    await sql(`GRANT USAGE ON SCHEMA public TO ${role}; GRANT INSERT ON guarded TO ${role}`);
    expect(await problem('APPEND')).toMatchObject({
      ...lacking,
      message: expect.stringContaining('CREATE on the schema'),
    });
    expect(await problem('UPSERT')).toMatchObject({ ...lacking, message: expect.stringContaining('UPDATE, SELECT') });
    expect(await problem('REPLACE')).toMatchObject({ ...lacking, message: expect.stringContaining('DELETE') });
    expect(await failure({ table: 'fresh', createTable: true }, 'id INTEGER', limited)).toMatchObject(lacking);
  });

  it('of columns are enough, and a plain table needs no more than INSERT', async () => {
    await sql(`CREATE TABLE open_table (id integer, v text, secret text); GRANT USAGE ON SCHEMA public TO ${role};
      GRANT INSERT (id, v) ON open_table TO ${role}`);
    expect(await failure({ table: 'open_table' }, 'id INTEGER, secret VARCHAR', limited)).toMatchObject({
      code: 'TARGET_NOT_ALLOWED',
    });
    const sink = bindSink(postgresSink, { table: 'open_table' });
    expect(await loadJob(limited, home, sink, columnsOf('id INTEGER, v VARCHAR')).run([[1, 'a']])).toBe(1);
  });

  it('let a role that does not own the table replace its rows', async () => {
    await sql(`CREATE TABLE theirs (id integer, v text); INSERT INTO theirs VALUES (1, 'old'); GRANT USAGE, CREATE ON SCHEMA public TO ${role};
      GRANT INSERT, DELETE ON theirs TO ${role}`);
    const sink = bindSink(postgresSink, { table: 'theirs', mode: 'REPLACE' });
    const load = loadJob(limited, home, sink, columnsOf('id INTEGER, v VARCHAR'));
    expect(await load.run([[2, 'new']])).toBe(1);
    expect(load.prepared()).toMatchObject({ ending: 'REPLACE_ROWS' });
    expect((await sql('SELECT * FROM theirs')).rows).toEqual([{ id: 2, v: 'new' }]);
  });

  it('of row level security are judged before anything is visible', async () => {
    await sql(`CREATE TABLE secured (id integer, v text); ALTER TABLE secured ENABLE ROW LEVEL SECURITY;
      CREATE POLICY small ON secured FOR INSERT WITH CHECK (id < 10); GRANT INSERT ON secured TO ${role};
      GRANT USAGE, CREATE ON SCHEMA public TO ${role}`);
    const load = loadJob(
      limited,
      home,
      bindSink(postgresSink, { table: 'secured' }),
      columnsOf('id INTEGER, v VARCHAR'),
    );
    await expect(load.run([[1, 'a']], [[11, 'b']])).rejects.toMatchObject({ code: 'TARGET_NOT_ALLOWED' });
    expect((await sql('SELECT * FROM secured')).rows).toEqual([]);
    await load.discard();
  });
});
