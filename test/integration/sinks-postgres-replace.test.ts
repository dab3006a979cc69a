import { beforeAll, describe, expect, it } from 'vitest';
import { postgresSink } from '../../src/engine/sinks/postgres.js';
import { type Pool, withTransaction } from '../../src/store/pool.js';
import { emptyDatabase, onServer } from '../support/database.js';
import { bindSink, columnsOf, copyText, loadJob, type Row, type SinkHome, sinkHome } from '../support/load-parts.js';

let pool: Pool;
let home: SinkHome;

beforeAll(async () => {
  ({ pool } = await emptyDatabase());
  home = await sinkHome();
});

const sql = (text: string) => pool.query(text);
const rowsOf = async (table: string) =>
  (await pool.query({ text: `SELECT * FROM ${table} ORDER BY 1`, rowMode: 'array' })).rows as Row[];
const replace = (table: string, output = 'id INTEGER, v VARCHAR') =>
  loadJob(pool, home, bindSink(postgresSink, { table, mode: 'REPLACE' }), columnsOf(output));
const leftovers = async () => (await sql(`SELECT relname FROM pg_class WHERE relname LIKE '\\_sluice%'`)).rows;

/** Everything about a table that a user would miss, without the identity of the objects. */
const describeTable = async (table: string) =>
  (
    await pool.query(
      `SELECT pg_get_userbyid(c.relowner) AS owner, obj_description(c.oid, 'pg_class') AS comment,
              (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(coalesce(c.relacl, acldefault('r', c.relowner))) a) AS acl,
              (SELECT jsonb_agg(jsonb_build_array(attname, format_type(atttypid, atttypmod), attnotnull, attgenerated,
                        attstorage, pg_get_expr(adbin, adrelid), col_description(attrelid, attnum)) ORDER BY attnum)
                 FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
                WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped) AS columns,
              (SELECT jsonb_agg(jsonb_build_array(conname, pg_get_constraintdef(oid), obj_description(oid, 'pg_constraint'))
                        ORDER BY conname) FROM pg_constraint WHERE conrelid = c.oid) AS constraints,
              (SELECT jsonb_agg(jsonb_build_array(pg_get_indexdef(indexrelid), obj_description(indexrelid, 'pg_class'))
                        ORDER BY indexrelid::regclass::text) FROM pg_index WHERE indrelid = c.oid) AS indexes
         FROM pg_class c WHERE c.oid = $1::regclass`,
      [table],
    )
  ).rows[0];

describe('REPLACE by swap', () => {
  it('keeps owner, privileges, comments, defaults, constraints and indexes under their names', async () => {
    const role = `sluice_reader_${process.pid}`;
    await onServer(`CREATE ROLE ${role}`);
    try {
      await sql(`
        CREATE TABLE full_table (
          id integer CONSTRAINT "the Key" PRIMARY KEY, v text COLLATE "C" DEFAULT 'it''s', n integer CONSTRAINT "n is there" NOT NULL DEFAULT 7,
          twice integer GENERATED ALWAYS AS (n * 2) STORED,
          CONSTRAINT positive CHECK (n > 0), CONSTRAINT "n once" UNIQUE (id, n) DEFERRABLE INITIALLY DEFERRED,
          CONSTRAINT no_overlap EXCLUDE (id WITH =) WHERE (n = 8));
        CREATE UNIQUE INDEX "Odd ""name""" ON full_table (lower(v)) WHERE v <> 'x';
        CREATE INDEX plain_index ON full_table USING hash (n);
        CREATE INDEX with_settings ON full_table (v DESC NULLS LAST) INCLUDE (n) WITH (fillfactor = 70);
        COMMENT ON TABLE full_table IS 'back\\slash and ''quote''';
        COMMENT ON COLUMN full_table.v IS 'a value';
        COMMENT ON CONSTRAINT positive ON full_table IS 'a check';
        COMMENT ON CONSTRAINT "the Key" ON full_table IS 'a key';
        COMMENT ON INDEX plain_index IS 'an index';
        GRANT SELECT, INSERT ON full_table TO ${role} WITH GRANT OPTION; GRANT SELECT ON full_table TO PUBLIC;
        REVOKE TRUNCATE ON full_table FROM CURRENT_USER;
        ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO ${role};
        INSERT INTO full_table VALUES (1, 'old')`);
      const before = await describeTable('full_table');
      const load = replace('full_table');
      expect(await load.run([[2, 'b']], [[3, 'c']])).toBe(2);
      expect(load.prepared()).toMatchObject({ ending: 'SWAP', reasons: ['the rows replace all others'] });
      expect(await describeTable('full_table')).toEqual(before);
      expect(await rowsOf('full_table')).toEqual([
        [2, 'b', 7, 14],
        [3, 'c', 7, 14],
      ]);
      expect(await leftovers()).toEqual([]);
      expect(await replace('full_table').run([[4, 'd']])).toBe(1);
      expect(await describeTable('full_table')).toEqual(before);
      expect(await rowsOf('full_table')).toEqual([[4, 'd', 7, 14]]);
    } finally {
      await sql(`DROP TABLE IF EXISTS full_table; DROP OWNED BY ${role}`);
      await onServer(`DROP ROLE ${role}`);
    }
  });

  it('keeps the old rows when a row is refused, whenever that is found', async () => {
    await sql(
      'CREATE TABLE kept (id integer PRIMARY KEY, v text CHECK (v <> $$bad$$)); INSERT INTO kept VALUES (1, $$old$$)',
    );
    const early = replace('kept');
    await expect(early.run([[2, 'b']], [[3, 'bad']])).rejects.toMatchObject({
      details: { constraint: 'kept_v_check' },
    });
    await early.discard();
    const late = replace('kept');
    await expect(late.run([[2, 'b']], [[2, 'c']])).rejects.toMatchObject({ code: 'CONSTRAINT_VIOLATION' });
    await late.discard();
    expect(await rowsOf('kept')).toEqual([[1, 'old']]);
    expect(await leftovers()).toEqual([]);
  });

  it('shows readers the old or the new rows, never none and never an error', async () => {
    await sql(
      'CREATE TABLE watched (id integer, v text); INSERT INTO watched SELECT i, $$0$$ FROM generate_series(1, 50) i',
    );
    let done = false;
    const seen = new Set<string>();
    const reader = async () => {
      while (!done) {
        const { rows } = await sql('SELECT count(*)::int AS n, count(DISTINCT v)::int AS loads FROM watched');
        seen.add(JSON.stringify(rows[0]));
      }
    };
    const readers = [reader(), reader()];
    try {
      for (let i = 1; i <= 10; i++) {
        const rows = Array.from({ length: 25 }, (_, id): Row => [id, `${i}`]);
        await replace('watched').run(rows, rows);
      }
    } finally {
      done = true;
    }
    await Promise.all(readers);
    expect([...seen]).toEqual(['{"n":50,"loads":1}']);
  });

  it('gives up when somebody holds the table for long, and can be published later', async () => {
    await sql('CREATE TABLE held (id integer, v text)');
    const sink = bindSink(postgresSink, { table: 'held', mode: 'REPLACE' });
    const load = loadJob(pool, home, sink, columnsOf('id INTEGER, v VARCHAR'));
    await load.prepare();
    await load.load(await home.part(0, '1\ta\n'));
    const blocker = await pool.connect();
    try {
      await blocker.query('BEGIN; SELECT * FROM held');
      const publish = withTransaction(pool, async (client) => {
        // Shorter than the sink's own 5 s, to spare the test the wait.
        await client.query(`SET LOCAL lock_timeout = '40ms'`);
        await load.publishIn(client);
      });
      await expect(publish).rejects.toMatchObject({ code: '55P03' });
    } finally {
      await blocker.query('ROLLBACK');
      blocker.release();
    }
    await withTransaction(pool, async (client) => {
      await load.publishIn(client);
      expect((await client.query('SHOW lock_timeout')).rows).toEqual([{ lock_timeout: '0' }]);
    });
    expect(await rowsOf('held')).toEqual([[1, 'a']]);
  });
});

describe('REPLACE of the rows alone', () => {
  it.each([
    ['a view', 'CREATE VIEW dep_v AS SELECT id FROM dep'],
    [
      'a foreign key',
      'ALTER TABLE dep ADD PRIMARY KEY (id); CREATE TABLE dep_fk (id integer REFERENCES dep DEFERRABLE INITIALLY DEFERRED)',
    ],
    ['an owned sequence', 'CREATE SEQUENCE dep_s OWNED BY dep.id'],
    ['an identity', 'ALTER TABLE dep ADD COLUMN i integer GENERATED BY DEFAULT AS IDENTITY'],
    [
      'a trigger',
      `CREATE FUNCTION dep_f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
                   CREATE TRIGGER t BEFORE INSERT ON dep FOR EACH ROW EXECUTE FUNCTION dep_f()`,
    ],
    ['a policy', 'CREATE POLICY p ON dep USING (true)'],
    ['a publication', 'ALTER TABLE dep ADD PRIMARY KEY (id); CREATE PUBLICATION pub FOR TABLE dep'],
    ['a publication of all tables', 'ALTER TABLE dep ADD PRIMARY KEY (id); CREATE PUBLICATION pub FOR ALL TABLES'],
    ['a child', 'CREATE TABLE dep_child () INHERITS (dep); INSERT INTO dep_child VALUES (99, $$child$$)'],
    ['a rule', 'CREATE RULE r AS ON DELETE TO dep DO ALSO NOTHING'],
    ['a column of its row type', 'CREATE TABLE dep_type (d dep)'],
    ['a function', `CREATE FUNCTION dep_f() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM dep; END`],
    ['settings', 'ALTER TABLE dep SET (fillfactor = 50)'],
    ['settings of a column', 'ALTER TABLE dep ALTER COLUMN id SET (n_distinct = 5)'],
    ['column privileges', 'GRANT SELECT (id) ON dep TO PUBLIC'],
    ['statistics', 'CREATE STATISTICS dep_st ON id, v FROM dep'],
  ])('leaves the table where it is when it has %s', async (_what, ddl) => {
    await sql('CREATE SCHEMA s; CREATE TABLE s.dep (id integer, v text)');
    try {
      await sql(`SET search_path TO s; ${ddl}; INSERT INTO s.dep VALUES (1, 'old'); RESET search_path`);
      const before = (await sql(`SELECT 's.dep'::regclass::oid AS oid`)).rows;
      const sink = bindSink(postgresSink, { schema: 's', table: 'dep', mode: 'REPLACE' });
      const load = loadJob(pool, home, sink, columnsOf('id INTEGER, v VARCHAR'));
      expect(await load.run([[1, 'a']], [[2, 'b']])).toBe(2);
      expect(load.prepared()).toMatchObject({ ending: 'REPLACE_ROWS' });
      expect((await sql(`SELECT 's.dep'::regclass::oid AS oid`)).rows).toEqual(before);
      expect((await rowsOf('ONLY s.dep')).map((row) => row.slice(0, 2))).toEqual([
        [1, 'a'],
        [2, 'b'],
      ]);
      expect(await leftovers()).toEqual([]);
    } finally {
      await sql('RESET search_path; DROP PUBLICATION IF EXISTS pub; DROP SCHEMA s CASCADE');
    }
  });

  it('replaces the rows of all partitions', async () => {
    await sql(`CREATE TABLE parted (id integer, v text) PARTITION BY RANGE (id);
      CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
      CREATE TABLE parted_2 PARTITION OF parted DEFAULT; INSERT INTO parted VALUES (1, 'old'), (50, 'old')`);
    expect(await replace('parted').run([[2, 'a']], [[60, 'b']])).toBe(2);
    expect(await rowsOf('parted')).toEqual([
      [2, 'a'],
      [60, 'b'],
    ]);
  });

  it('keeps the old rows when others still refer to them', async () => {
    await sql(`CREATE TABLE parent (id integer PRIMARY KEY, v text); CREATE TABLE child (id integer REFERENCES parent);
      INSERT INTO parent VALUES (1, 'old'); INSERT INTO child VALUES (1)`);
    const load = replace('parent');
    await expect(load.run([[2, 'a']])).rejects.toMatchObject({ details: { constraint: 'child_id_fkey' } });
    expect(await rowsOf('parent')).toEqual([[1, 'old']]);
    await load.discard();
  });

  it('is what a swap becomes when the table changes, or gets a dependent, while the job runs', async () => {
    for (const change of [
      'CREATE VIEW late AS SELECT * FROM shifting',
      'ALTER TABLE shifting ADD COLUMN extra integer DEFAULT 5',
    ]) {
      await sql('CREATE TABLE shifting (id integer PRIMARY KEY, v text); INSERT INTO shifting VALUES (1, $$old$$)');
      const load = replace('shifting');
      await load.prepare();
      expect(load.prepared()).toMatchObject({ ending: 'SWAP', reasons: ['the rows replace all others'] });
      await load.load(await home.part(0, copyText([[2, 'new']])));
      await sql(change);
      const before = await describeTable('shifting');
      await load.publish();
      expect(await describeTable('shifting')).toEqual(before);
      expect((await rowsOf('shifting')).map((row) => row.slice(0, 2))).toEqual([[2, 'new']]);
      expect(await leftovers()).toEqual([]);
      await sql('DROP TABLE shifting CASCADE');
    }
  });

  it('leaves exactly one load when two jobs replace at once', async () => {
    await sql('CREATE TABLE raced (id integer PRIMARY KEY, v text)');
    const loads = ['a', 'b', 'c'].map((v) =>
      replace('raced').run(Array.from({ length: 100 }, (_, id): Row => [id, v])),
    );
    expect(await Promise.all(loads)).toEqual([100, 100, 100]);
    const { rows } = await sql('SELECT count(*)::int AS n, count(DISTINCT v)::int AS loads FROM raced');
    expect(rows).toEqual([{ n: 100, loads: 1 }]);
    expect(await leftovers()).toEqual([]);
  });
});
