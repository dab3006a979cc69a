import { rm } from 'node:fs/promises';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { postgresSink } from '../../src/engine/sinks/postgres.js';
import { createPool, type Pool } from '../../src/store/pool.js';
import { emptyDatabase, onServer } from '../support/database.js';
import { bindSink, columnsOf, copyText, loadJob, type Row, type SinkHome, sinkHome } from '../support/load-parts.js';

let pool: Pool;
let url: string;
let home: SinkHome;

beforeAll(async () => {
  ({ pool, url } = await emptyDatabase());
  home = await sinkHome();
});

const sql = (text: string) => pool.query(text);
const job = (options: object, output: string) =>
  loadJob(pool, home, bindSink(postgresSink, options), columnsOf(output));

/** Loads the parts and tells how the rows are published, and what was found when they were read back. */
async function recheckOf(options: object, output: string, ...parts: readonly (readonly Row[])[]) {
  const load = job(options, output);
  await load.run(...parts);
  const told = load.rechecks.filter((recheck) => recheck !== null);
  return {
    ending: load.prepared().ending,
    rows: told.reduce((sum, { rows }) => sum + rows, 0),
    differing: told.reduce((sum, { differing }) => sum + differing, 0),
    columns: [...new Set(told.flatMap(({ columns }) => columns))],
    problems: told.flatMap(({ problem }) => problem ?? []),
  };
}

const SAME = { differing: 0, columns: [], problems: [] };
const numbered = (count: number, from = 0): Row[] =>
  Array.from({ length: count }, (_, i) => [from + i, `name ${(from + i) % 7}`]);
const trigger = (table: string, body: string) =>
  sql(`CREATE FUNCTION of_${table}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body} END $$;
       CREATE TRIGGER of_${table} BEFORE INSERT OR UPDATE ON ${table} FOR EACH ROW EXECUTE FUNCTION of_${table}()`);

describe('a row that is stored otherwise than it was evaluated', () => {
  it.each([
    ['with a key', 'PRIMARY KEY', 'APPEND', 'INSERT'],
    ['without any', '', 'APPEND', 'INSERT'],
    ['with a key and all rows replaced', 'PRIMARY KEY', 'REPLACE', 'REPLACE_ROWS'],
    ['with a key and rows upserted', 'PRIMARY KEY', 'UPSERT', 'INSERT'],
  ])('because of a trigger is found in a table %s', async (what, key, mode, ending) => {
    const table = `altered_${what.replaceAll(' ', '_')}`;
    await sql(`CREATE TABLE ${table} (id integer ${key}, name text)`);
    await trigger(table, `IF NEW.id % 2 = 0 THEN NEW.name = upper(NEW.name); END IF; RETURN NEW;`);
    const found = await recheckOf({ table, mode }, 'id INTEGER, name VARCHAR', numbered(10), numbered(10, 10));
    expect(found).toEqual({ ...SAME, ending, rows: 20, differing: 10, columns: ['name'] });
  });

  it('is found when the trigger came after the load had begun, also among rows that are upserted', async () => {
    for (const mode of ['APPEND', 'UPSERT']) {
      const table = `late_${mode.toLowerCase()}`;
      await sql(`CREATE TABLE ${table} (id integer ${mode === 'UPSERT' ? 'PRIMARY KEY' : ''}, name text)`);
      const load = job({ table, mode }, 'id INTEGER, name VARCHAR');
      await load.prepare();
      await trigger(table, `NEW.name = 'x'; RETURN NEW;`);
      await load.load(await home.part(0, copyText(numbered(5))));
      expect(load.prepared()).toMatchObject({ ending: 'DIRECT' });
      expect(load.rechecks).toEqual([{ rows: 5, differing: 5, columns: ['name'], problem: null }]);
    }
  });

  it('is found by its other columns when it is the key that was altered', async () => {
    await sql('CREATE TABLE renumbered (id integer, name text)');
    await trigger('renumbered', 'NEW.id = -NEW.id; RETURN NEW;');
    const found = await recheckOf({ table: 'renumbered' }, 'id INTEGER, name VARCHAR', numbered(10, 1));
    expect(found).toMatchObject({ ...SAME, rows: 10, differing: 10, columns: ['id'] });
  });

  it.each([
    ['a rule', (table: string) => sql(`CREATE RULE away AS ON INSERT TO ${table} DO INSTEAD NOTHING`), 10],
    ['a trigger', (table: string) => trigger(table, 'IF NEW.id < 4 THEN RETURN NULL; END IF; RETURN NEW;'), 4],
  ])('is found missing when %s keeps it out', async (what, keepOut, differing) => {
    for (const key of ['', 'PRIMARY KEY']) {
      const table = `kept_out_by_${what.slice(2)}_${key.length}`;
      await sql(`CREATE TABLE ${table} (id integer ${key}, name text)`);
      await keepOut(table);
      const found = await recheckOf({ table }, 'id INTEGER, name VARCHAR', numbered(10));
      expect(found).toMatchObject({ ...SAME, rows: 10, differing, columns: ['id'] });
    }
  });

  it('is found where a type or a domain cuts values', async () => {
    await sql(`CREATE DOMAIN cents AS numeric(8,2);
               CREATE TABLE cut (id integer, price cents, at timestamp(0), flag "char")`);
    const found = await recheckOf({ table: 'cut' }, 'id INTEGER, price DECIMAL(10,3), at TIMESTAMP, flag VARCHAR', [
      [1, '1.005', '2026-01-01 10:00:00.4', 'a'],
      [2, '1.500', '2026-01-01 10:00:00', 'b'],
    ]);
    expect(found).toMatchObject({ ...SAME, rows: 2, differing: 1, columns: ['price', 'at'] });
  });
});

describe('a row that is stored as it was evaluated', () => {
  it('agrees whatever columns the table has besides, and however its types write values', async () => {
    await sql(`CREATE TYPE mood AS ENUM ('sad', 'it''s');
      CREATE TABLE typed (made integer GENERATED ALWAYS AS (1) STORED, at timestamptz DEFAULT now(), a json, b jsonb,
        c xml, d point, e integer[], f char(5), g numeric, h mood, i bytea, j interval, k float4, l boolean, "M" money)`);
    const row = ['{"b": 1,  "a":2}', '{"b": 1,  "a":2}', '<x/>', '(1, 2)', '{1, 2}', 'ab', '1.50', `it's`, '\\x0aFF'];
    const rows = [[...row, '1 day 24:00:00', '0.1', 'yes', '$1.00'], Array.from({ length: 13 }, () => null)];
    const output = 'abcdefghijkl'.replace(/./g, '$& VARCHAR, ');
    const found = await recheckOf({ table: 'typed' }, `${output}M VARCHAR`, rows);
    // A row of nothing but nulls has nothing to be found by.
    expect(found).toEqual({ ...SAME, ending: 'INSERT', rows: 1 });
  });

  it('agrees among many rows with the same values, loaded by two at once', async () => {
    const seed = Date.now() % 2 ** 31;
    const value = fc.constantFrom(null, 'a', 'b', '', 'tab\t', 'back\\slash', 'line\nfeed');
    let table = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(value, value, value), { minLength: 1, maxLength: 400 }),
        fc.constantFrom('', 'CHECK (true)'),
        async (rows, constraint) => {
          table += 1;
          await sql(`CREATE TABLE same_${table} (a text, b text, c text ${constraint})`);
          const load = job({ table: `same_${table}` }, 'a VARCHAR, b VARCHAR, c VARCHAR');
          await load.prepare();
          const parts = await Promise.all([0, 1].map((n) => home.part(n, copyText(rows), 'ROWS', rows.length)));
          await Promise.all(parts.map((part) => load.load(part)));
          await load.publish();
          for (const recheck of load.rechecks) expect(recheck ?? {}).not.toHaveProperty('differing', 1);
          const told = load.rechecks.filter((recheck) => recheck !== null);
          expect(told.reduce((sum, recheck) => sum + recheck.differing, 0)).toBe(0);
        },
      ),
      { seed, numRuns: 15, verbose: 1 },
    );
  });

  it('is found in a large table by reading few of its blocks', async () => {
    await sql('CREATE TABLE large (id integer, name text)');
    const parts = [0, 1, 2].map((n) => numbered(60_000, n * 60_000));
    const found = await recheckOf({ table: 'large' }, 'id INTEGER, name VARCHAR', ...parts);
    expect(found).toMatchObject({ ...SAME, ending: 'DIRECT' });
    // More than those of both ends: one loader alone leaves the others where they are looked for.
    expect(found.rows).toBeGreaterThan(3 * 16);
  });

  it('does not count when it went into free space that is not read', async () => {
    await sql('CREATE TABLE holes (id integer, name text)');
    await recheckOf({ table: 'holes' }, 'id INTEGER, name VARCHAR', numbered(150_000));
    await sql('DELETE FROM holes WHERE id % 500 < 400 AND id < 149000');
    await sql('VACUUM holes');
    const found = await recheckOf({ table: 'holes' }, 'id INTEGER, name VARCHAR', numbered(30_000, 1_000_000));
    expect(found).toMatchObject({ ...SAME, rows: 0 });
  });
});

describe('a re-check that cannot be made', () => {
  it('is not tried by a role that may only write, or does not see all rows', async () => {
    const role = `sluice_writer_${process.pid}`;
    await onServer(`CREATE ROLE ${role}`);
    try {
      await sql(`CREATE TABLE blind (id integer, name text); GRANT INSERT ON blind TO ${role};
        CREATE TABLE hidden (id integer, name text); ALTER TABLE hidden ENABLE ROW LEVEL SECURITY;
        GRANT SELECT, INSERT ON hidden TO ${role}; CREATE POLICY writes ON hidden FOR INSERT WITH CHECK (true);
        GRANT CREATE ON SCHEMA public TO ${role}`);
      const options = new URLSearchParams({ options: `-c role=${role}` });
      const writer = createPool(`${url}?${options}`, { max: 1, applicationName: 'sluice test' });
      for (const table of ['blind', 'hidden']) {
        const load = loadJob(writer, home, bindSink(postgresSink, { table }), OUTPUT);
        expect(await load.run(numbered(5))).toBe(5);
        expect(load.rechecks.filter((recheck) => recheck !== null)).toEqual([NOT_READ]);
        expect((await sql(`SELECT FROM ${table}`)).rowCount).toBe(5);
      }
      await writer.end();
    } finally {
      await sql(`DROP OWNED BY ${role}`);
      await onServer(`DROP ROLE ${role}`);
    }
  });

  it('fails nothing, and says why', async () => {
    await sql('CREATE TABLE gone (id integer PRIMARY KEY, name text)');
    const load = job({ table: 'gone' }, 'id INTEGER, name VARCHAR');
    await load.prepare();
    const part = await home.part(0, copyText(numbered(5)));
    await load.load(part);
    await rm(part.uri);
    await load.publish();
    expect(load.rechecks).toEqual([null, { ...NOT_READ, problem: expect.stringContaining('ENOENT') }]);
    expect((await sql('SELECT FROM gone')).rowCount).toBe(5);
    await sql('CREATE TABLE odd (id integer, name text)');
    const odd = job({ table: 'odd' }, 'id INTEGER, name VARCHAR');
    await odd.prepare();
    // As if the table had been changed since the job was prepared.
    Object.assign(odd.prepared(), {
      readBack: {
        columns: [
          { type: 'integer', comparable: true },
          { type: 'date', comparable: true },
        ],
        key: [],
      },
    });
    expect(await odd.load(await home.part(0, copyText(numbered(5))))).toBe(5);
    expect(odd.rechecks).toEqual([{ ...NOT_READ, problem: 'operator does not exist: text = date' }]);
  });
});

const OUTPUT = columnsOf('id INTEGER, name VARCHAR');
const NOT_READ = { rows: 0, differing: 0, columns: [], problem: null };
