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
const job = (options: object, output: string, id?: string) =>
  loadJob(pool, home, bindSink(postgresSink, options), columnsOf(output), id);
const leftovers = async () =>
  (await sql(`SELECT relname FROM pg_class WHERE relname LIKE '\\_sluice%' OR relname LIKE 'sluice%'`)).rows;

describe('APPEND', () => {
  it('copies chunks straight into a plain table', async () => {
    await sql('CREATE TABLE plain (id integer NOT NULL, name text, at timestamptz DEFAULT now())');
    const load = job({ table: 'plain' }, 'id INTEGER, name VARCHAR');
    expect(await load.inspect()).toMatchObject({
      key: [],
      columns: [{ name: 'id', nullable: false, type: 'INTEGER' }, {}, {}],
    });
    expect(
      await load.run(
        [
          [1, 'a'],
          [2, null],
        ],
        [[3, '']],
      ),
    ).toBe(3);
    expect(load.prepared()).toMatchObject({ ending: 'DIRECT', staging: null, reasons: [] });
    expect((await rowsOf('plain')).map((row) => row.slice(0, 2))).toEqual([
      [1, 'a'],
      [2, null],
      [3, ''],
    ]);
  });

  it('stages beside a table that may refuse rows, and publishes all or nothing', async () => {
    await sql('CREATE TABLE keyed (id integer PRIMARY KEY, n integer CONSTRAINT positive CHECK (n > 0))');
    await sql('INSERT INTO keyed VALUES (1, 1)');
    const load = job({ table: 'keyed' }, 'id INTEGER, n INTEGER');
    await load.prepare();
    expect(load.prepared()).toMatchObject({ ending: 'INSERT' });
    await load.load(await home.part(0, '2\t2\n3\t3\n'));
    await load.load(await home.part(1, '4\t4\n1\t5\n'));
    await expect(load.publish()).rejects.toMatchObject({
      code: 'CONSTRAINT_VIOLATION',
      message: expect.stringContaining('Key (id)=(1) already exists'),
      details: { constraint: 'keyed_pkey', table: 'keyed', sqlState: '23505', detail: 'Key (id)=(1) already exists.' },
    });
    expect(await rowsOf('keyed')).toEqual([[1, 1]]);
    await load.discard();
    await load.discard();
    expect(await leftovers()).toEqual([]);
    const negative = job({ table: 'keyed' }, 'id INTEGER, n INTEGER');
    await expect(negative.run([[7, -1]])).rejects.toMatchObject({ details: { constraint: 'positive' } });
    await negative.discard();
    expect(await job({ table: 'keyed' }, 'id INTEGER, n INTEGER').run([[8, 8]], [[9, 9]])).toBe(2);
    expect(await rowsOf('keyed')).toEqual([
      [1, 1],
      [8, 8],
      [9, 9],
    ]);
    expect(await leftovers()).toEqual([]);
  });
});

describe('APPEND into tables of every kind', () => {
  it.each([
    [
      'a partitioned table',
      `CREATE TABLE t_parted (id integer, name text) PARTITION BY LIST (id);
       CREATE TABLE t_parted_1 PARTITION OF t_parted FOR VALUES IN (1)`,
      't_parted',
      'partitions',
    ],
    [
      'a foreign key',
      `CREATE TABLE t_ref (id integer PRIMARY KEY); INSERT INTO t_ref VALUES (1);
       CREATE TABLE t_fk (id integer REFERENCES t_ref, name text)`,
      't_fk',
      't_fk_id_fkey',
    ],
    [
      'a deferred foreign key',
      `CREATE TABLE t_ref2 (id integer PRIMARY KEY); INSERT INTO t_ref2 VALUES (1);
       CREATE TABLE t_dfk (id integer REFERENCES t_ref2 DEFERRABLE INITIALLY DEFERRED, name text)`,
      't_dfk',
      't_dfk_id_fkey',
    ],
    [
      'a domain',
      `CREATE DOMAIN one AS integer CHECK (VALUE = 1); CREATE TABLE t_domain (id one, name text)`,
      't_domain',
      'type one',
    ],
    [
      'an exclusion constraint',
      `CREATE TABLE t_ex (id integer, name text, EXCLUDE (id WITH =) WHERE (id = 2));
       INSERT INTO t_ex VALUES (2, 'old')`,
      't_ex',
      't_ex_id_excl',
    ],
    [
      'a trigger',
      `CREATE TABLE t_trig (id integer, name text);
       CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN IF NEW.id = 2 THEN RAISE 'no twos'; END IF; RETURN NEW; END $$;
       CREATE TRIGGER guard BEFORE INSERT ON t_trig FOR EACH ROW EXECUTE FUNCTION refuse()`,
      't_trig',
      'trigger guard',
    ],
    [
      'a partial unique index',
      `CREATE TABLE t_part (id integer, name text);
       CREATE UNIQUE INDEX ON t_part (id) WHERE id = 2; INSERT INTO t_part VALUES (2, 'old')`,
      't_part',
      't_part_id_idx',
    ],
    [
      'a computed column',
      `CREATE TABLE t_comp (id integer, name text, inv integer GENERATED ALWAYS AS (1 / (id - 2)) STORED)`,
      't_comp',
      'computed column',
    ],
  ])('publishes nothing when %s refuses a row', async (_what, ddl, table, reason) => {
    await sql(ddl);
    const before = await rowsOf(table);
    const load = job({ table }, 'id INTEGER, name VARCHAR');
    const bad = load.run([[1, 'a']], [[2, 'b']]);
    await expect(bad).rejects.toMatchObject({
      code: expect.stringMatching(/CONSTRAINT_VIOLATION|TARGET_INCOMPATIBLE/),
    });
    expect(load.prepared()).toMatchObject({ ending: 'INSERT' });
    expect(String(load.prepared().reasons)).toContain(reason);
    expect(await rowsOf(table)).toEqual(before);
    await load.discard();
    expect(await job({ table }, 'id INTEGER, name VARCHAR').run([[1, 'a']])).toBe(1);
    expect(await rowsOf(table)).toHaveLength(before.length + 1);
  });

  it.each(['json', 'jsonb', 'integer[]', 'interval', 'numeric', 'xml', 'money', 'numrange'])(
    'stages values of type %s, which only the server can judge',
    async (type) => {
      await sql(`DROP TABLE IF EXISTS judged; CREATE TABLE judged (v ${type})`);
      const load = job({ table: 'judged' }, 'v VARCHAR');
      await load.prepare();
      expect(load.prepared()).toMatchObject({ ending: 'INSERT' });
      await load.discard();
    },
  );

  it('takes bytes above the limit of an index as a refusal, before anything is visible', async () => {
    await sql('CREATE TABLE long (v text); CREATE INDEX ON long (v)');
    const incompressible = Array.from({ length: 4000 }, (_, i) =>
      String.fromCodePoint(0x4e00 + ((i * 7919) % 20000)),
    ).join('');
    await expect(job({ table: 'long' }, 'v VARCHAR').run([['short']], [[incompressible]])).rejects.toMatchObject({
      code: 'TARGET_INCOMPATIBLE',
    });
    expect(await rowsOf('long')).toEqual([]);
  });
});

describe('UPSERT', () => {
  it('updates, adds, and changes nothing when it is repeated', async () => {
    await sql(
      'CREATE TABLE stock (id integer PRIMARY KEY, n numeric(8,2), note varchar(10)); INSERT INTO stock VALUES (1, 1, $$a$$)',
    );
    const load = () => job({ table: 'stock', mode: 'UPSERT' }, 'id INTEGER, n DECIMAL(8,2), note VARCHAR');
    expect((await load().inspect()).key).toEqual(['id']);
    const first = load();
    expect(
      await first.run(
        [
          [1, '2.50', null],
          [2, '3', 'b'],
        ],
        [[3, '4', 'c']],
      ),
    ).toBe(3);
    expect(first.prepared()).toMatchObject({ ending: 'DIRECT', key: ['id'] });
    expect(await rowsOf('stock')).toEqual([
      [1, '2.50', null],
      [2, '3.00', 'b'],
      [3, '4.00', 'c'],
    ]);
    const versions = (await sql('SELECT id, xmin, ctid FROM stock ORDER BY id')).rows;
    expect(
      await load().run(
        [
          [3, '4', 'c'],
          [1, '2.50', null],
        ],
        [[2, '3', 'b']],
      ),
    ).toBe(3);
    expect((await sql('SELECT id, xmin, ctid FROM stock ORDER BY id')).rows).toEqual(versions);
  });

  it('sees changes that the type holds for equal, and types that know no equality', async () => {
    await sql('CREATE TABLE subtle (id integer PRIMARY KEY, doc json, n numeric)');
    await sql(`INSERT INTO subtle VALUES (1, '{"a":1}', 1.0)`);
    const load = job({ table: 'subtle', mode: 'UPSERT' }, 'id INTEGER, doc JSON, n NUMERIC_TEXT');
    await load.run([[1, '{"a": 1}', '1.00']]);
    expect(load.prepared()).toMatchObject({ ending: 'INSERT' });
    expect((await sql('SELECT doc::text, n FROM subtle')).rows).toEqual([{ doc: '{"a": 1}', n: '1.00' }]);
  });

  it('takes any key that a unique index covers, in any order, and columns that are nothing but key', async () => {
    await sql('CREATE TABLE pair (b bigint, a date, UNIQUE (a, b)); INSERT INTO pair VALUES (1, $$2020-01-01$$)');
    const load = job({ table: 'pair', mode: 'UPSERT', key: ['b', 'a'] }, 'a DATE, b BIGINT');
    expect(
      await load.run([
        ['2020-01-01', 1],
        ['2020-01-01', 2],
      ]),
    ).toBe(2);
    expect((await sql('SELECT count(*) FROM pair')).rows).toEqual([{ count: 2n }]);
  });

  it('does not publish when two keys of the load are one to the server', async () => {
    await sql('CREATE TABLE fuzzy (id char(4) PRIMARY KEY, n integer)');
    const load = job({ table: 'fuzzy', mode: 'UPSERT' }, 'id VARCHAR, n INTEGER');
    await expect(load.run([['a', 1]], [['a ', 2]])).rejects.toMatchObject({
      code: 'CONSTRAINT_VIOLATION',
      message: expect.stringContaining('equal to the server'),
    });
    expect(await rowsOf('fuzzy')).toEqual([]);
  });

  it('stages where another constraint could refuse, and keeps the old rows when it does', async () => {
    await sql(
      'CREATE TABLE person (id integer PRIMARY KEY, mail varchar(50) UNIQUE); INSERT INTO person VALUES (1, $$a$$)',
    );
    const load = job({ table: 'person', mode: 'UPSERT' }, 'id INTEGER, mail VARCHAR');
    await expect(load.run([[1, 'b']], [[2, 'b']])).rejects.toMatchObject({
      details: { constraint: 'person_mail_key' },
    });
    expect(await rowsOf('person')).toEqual([[1, 'a']]);
    expect(await job({ table: 'person', mode: 'UPSERT' }, 'id INTEGER, mail VARCHAR').run([[1, 'b']], [[2, 'c']])).toBe(
      2,
    );
    expect(await rowsOf('person')).toEqual([
      [1, 'b'],
      [2, 'c'],
    ]);
  });

  it('lets two jobs upsert the same rows at once, without a deadlock', async () => {
    await sql('CREATE TABLE hot (id integer PRIMARY KEY, n integer)');
    const ids = Array.from({ length: 10_000 }, (_, i) => i);
    const loads = [1, 2, 3, 4].map(async (n) => {
      const rows = (n % 2 ? ids : [...ids].reverse()).map((id): Row => [id, n]);
      return job({ table: 'hot', mode: 'UPSERT' }, 'id INTEGER, n INTEGER').run(rows);
    });
    expect(await Promise.all(loads)).toEqual([10_000, 10_000, 10_000, 10_000]);
    const { rows } = await sql('SELECT count(*) AS rows, count(DISTINCT n) AS jobs FROM hot');
    expect(rows).toEqual([{ rows: 10_000n, jobs: 1n }]);
  });
});

describe('names', () => {
  const odd = ['select', 'Quo"ted', `it's`, 'Ünïcödé 表', 'a.b', 'tab\tnew\nline', 'x'.repeat(63)];

  it.each(odd)('loads into a schema, table and columns called %j', async (name) => {
    const quoted = `"${name.replaceAll('"', '""')}"`;
    await sql(`CREATE SCHEMA IF NOT EXISTS ${quoted}`);
    const output = [
      { name, type: 'INTEGER' },
      { name: 'v', type: 'VARCHAR' },
    ];
    for (const mode of ['APPEND', 'UPSERT', 'REPLACE']) {
      await sql(
        `DROP TABLE IF EXISTS ${quoted}.${quoted}; CREATE TABLE ${quoted}.${quoted} (${quoted} integer PRIMARY KEY, v text)`,
      );
      const sink = bindSink(postgresSink, { schema: name, table: name, mode });
      expect(await loadJob(pool, home, sink, output).run([[1, 'a']], [[2, 'b']])).toBe(2);
      expect(await rowsOf(`${quoted}.${quoted}`)).toEqual([
        [1, 'a'],
        [2, 'b'],
      ]);
    }
    await sql(`DROP TABLE ${quoted}.${quoted}`);
    const created = bindSink(postgresSink, {
      schema: name,
      table: name,
      mode: 'UPSERT',
      key: [name],
      createTable: true,
    });
    expect(await loadJob(pool, home, created, output).run([[1, 'a']])).toBe(1);
    expect(await rowsOf(`${quoted}.${quoted}`)).toEqual([[1, 'a']]);
  });
});

describe('a job', () => {
  it('may prepare again, which empties what was staged', async () => {
    await sql('CREATE TABLE again (id integer PRIMARY KEY)');
    const load = job({ table: 'again' }, 'id INTEGER');
    await load.prepare();
    await load.load(await home.part(0, '1\n'));
    const first = load.prepared();
    expect(await load.prepare()).toEqual(first);
    await load.load(await home.part(0, '1\n'));
    await load.publish();
    expect(await rowsOf('again')).toEqual([[1]]);
  });

  it('does not publish when a crash of the server has emptied the unlogged staging table', async () => {
    await sql('CREATE TABLE crashed (id integer PRIMARY KEY); INSERT INTO crashed VALUES (7)');
    for (const mode of ['APPEND', 'REPLACE']) {
      if (mode === 'REPLACE') await sql('CREATE VIEW on_crashed AS SELECT * FROM crashed');
      const load = job({ table: 'crashed', mode }, 'id INTEGER');
      await load.prepare();
      await load.load(await home.part(0, '1\n'));
      // What crash recovery does to unlogged tables.
      const { rows } = await pool.query(
        `SELECT relname FROM pg_class WHERE relpersistence = 'u' AND relkind = 'r' AND starts_with(relname, $1)`,
        [load.prepared().staging],
      );
      expect(rows).toHaveLength(2);
      await sql(`TRUNCATE ${rows.map((row) => row.relname).join(', ')}`);
      await load.load(await home.part(1, '2\n'));
      await expect(load.publish()).rejects.toMatchObject({
        code: 'STAGED_ROWS_LOST',
        message: expect.stringContaining('crash'),
      });
      expect(await rowsOf('crashed')).toEqual([[7]]);
      await load.discard();
      expect(await leftovers()).not.toContainEqual({ relname: load.prepared().staging });
    }
  });

  it('does not publish what was discarded', async () => {
    await sql('CREATE TABLE gone (id integer PRIMARY KEY)');
    const load = job({ table: 'gone' }, 'id INTEGER');
    await load.prepare();
    await load.discard();
    await expect(load.publish()).rejects.toMatchObject({ code: 'STAGED_ROWS_LOST' });
  });

  it('fails clearly when the target is dropped while it runs', async () => {
    for (const mode of ['APPEND', 'REPLACE']) {
      await sql('CREATE TABLE vanishing (id integer PRIMARY KEY)');
      const load = job({ table: 'vanishing', mode }, 'id INTEGER');
      await load.prepare();
      await sql('DROP TABLE vanishing');
      await expect(load.publish()).rejects.toMatchObject({ code: 'TARGET_NOT_FOUND' });
      await load.discard();
    }
  });
});
