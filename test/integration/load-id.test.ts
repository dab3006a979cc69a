import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { UserErrors } from '../../src/core/errors.js';
import type { Engine } from '../../src/engine/engine.js';
import { engineHome } from '../support/engine-home.js';
import { aRuntime, type Runtime } from '../support/runtime.js';

let runtime: Runtime;
let engine: Engine;
beforeAll(async () => {
  runtime = await aRuntime();
  ({ engine } = await engineHome());
});
beforeEach(() => runtime.pool.query('drop table if exists target, other; drop type if exists mood'));

const ROWS = Array.from({ length: 50 }, (_, i) => ({ id: i, name: i % 3 === 0 ? null : `name ${i}` }));

function specOf(sink: object, rows: readonly object[] = ROWS, steps: readonly object[] = []) {
  const spec = { source: { records: { rows } }, steps, sink: { postgres: { table: 'target', ...sink } } };
  return runtime.context(engine).parsePipeline({ ...spec, options: { errorBudget: {} } }).json;
}

/** Runs a job to its success. @returns its id */
async function load(sink: object, rows?: readonly object[]): Promise<string> {
  const { queue } = await runtime.worker(engine);
  const id = await runtime.launch({ spec: specOf(sink, rows) });
  await queue.hint(id);
  expect(await runtime.job(id)).toMatchObject({ state: 'SUCCEEDED', error: null });
  expect(
    await runtime.column('select rows_differing::int from sluice.job where id = $1 and rows_rechecked > 0', [id]),
  ).toEqual([0]);
  return id;
}

const loadsOf = () => runtime.column('select load::text from target order by id');

describe('the id of the load in the rows', () => {
  it('is that of the job, in a table that is created and after it', async () => {
    const sink = { createTable: true, loadIdColumn: 'load' };
    const first = await load(sink);
    expect(await loadsOf()).toEqual(ROWS.map(() => first));
    const second = await load(sink, [{ id: 100, name: 'x' }]);
    expect(await loadsOf()).toEqual([...ROWS.map(() => first), second]);
    expect(
      await runtime.column(
        `select format_type(atttypid, -1) from pg_attribute where attrelid = 'target'::regclass and attname = 'load'`,
      ),
    ).toEqual(['uuid']);
    expect(await runtime.column(`select indexdef from pg_indexes where tablename = 'target'`)).toEqual([
      expect.stringContaining('USING brin (load)'),
    ]);
  });

  it.each([
    ['a column of type text', '(id int, name text, load text)', {}],
    ['the column in front', '(load uuid not null, id int, name text)', {}],
    ['partitions', '(id int primary key, name text, load uuid) partition by range (id)', {}],
    ['REPLACE, by a swap', '(id int, name text, load uuid)', { mode: 'REPLACE' }],
    ['REPLACE, row by row', '(id int primary key, name text, load uuid) partition by range (id)', { mode: 'REPLACE' }],
    ['UPSERT', '(id int primary key, name text, load uuid)', { mode: 'UPSERT' }],
    ['UPSERT that is staged', '(id int primary key, name text, load uuid)', { mode: 'UPSERT', staged: true }],
  ])('is there with %s', async (_what, columns, sink) => {
    await runtime.pool.query(`create table target ${columns}`);
    if (columns.includes('partition'))
      await runtime.pool.query('create table p1 partition of target for values from (0) to (1000)');
    const id = await load({ ...sink, loadIdColumn: 'load' });
    expect(await loadsOf()).toEqual(ROWS.map(() => id));
  });

  it.each([
    ['a column that the output has', '(id int, name text, load uuid)', 'name', 'INVALID_INPUT'],
    ['one that differs in its case alone', '(id int, name text, "NAME" uuid)', 'NAME', 'INVALID_INPUT'],
    ['a column that the table has not', '(id int, name text)', 'load', 'TARGET_INCOMPATIBLE'],
    ['a column of another type', '(id int, name text, load varchar(20))', 'load', 'TARGET_INCOMPATIBLE'],
    ['a column for numbers', '(id int, name text, load bigint)', 'load', 'TARGET_INCOMPATIBLE'],
  ])('is refused for %s', async (_what, columns, loadIdColumn, code) => {
    await runtime.pool.query(`create table target ${columns}`);
    const context = runtime.context(engine);
    const pipeline = context.parsePipeline(specOf({ loadIdColumn }));
    const failure = await engine
      .check(pipeline, (work) => context.connections.withClient('default', work))
      .catch((e) => e);
    expect(failure).toBeInstanceOf(UserErrors);
    expect(failure.errors).toMatchObject([{ code, path: ['sink', 'postgres', 'loadIdColumn'] }]);
  });

  it('is refused as a part of the key', () => {
    const sink = { mode: 'UPSERT', key: ['id', 'load'], loadIdColumn: 'load' };
    expect(() => specOf(sink)).toThrow(
      expect.objectContaining({ errors: [expect.objectContaining({ path: ['sink', 'postgres', 'key', 1] })] }),
    );
  });

  it('is nobody’s in a preview', async () => {
    const context = runtime.context(engine);
    const pipeline = context.parsePipeline(specOf({ createTable: true, loadIdColumn: 'load' }));
    const { stages } = await engine.preview(pipeline, (work) => context.connections.withClient('default', work), 1);
    expect(JSON.parse(stages.at(-1)?.rows[0] ?? '')).toMatchObject({ load: '00000000-0000-0000-0000-000000000000' });
  });
});

describe('an UPSERT of the same rows', () => {
  const RECORDS = ROWS.map(({ id, name }) => ({
    id,
    part: `p${id % 4}`,
    name,
    doc: id % 5 === 0 ? null : JSON.stringify({ b: [id, null], a: 'ü' }),
    plain: id % 7 === 0 ? null : `{"z": ${id},  "a" : 1}`,
    place: id % 2 === 0 ? `(${id},1.5)` : null,
    price: id % 3 === 0 ? null : `${id}.50`,
    mood: id % 2 === 0 ? 'good' : null,
  }));
  const COLUMNS = `id int, part text, name text, doc jsonb, plain json, place point, price numeric, mood mood`;
  const written = () => runtime.column(`select concat(tableoid, ctid, ' ', xmin) from target order by id`);

  async function aTarget(how: string) {
    await runtime.pool.query(`create type mood as enum ('good', 'bad'); create table other (what text)`);
    const key = how === 'a composite key' ? 'id, part' : 'id';
    const partitions = how === 'partitions' ? 'partition by hash (id)' : '';
    await runtime.pool.query(`create table target (${COLUMNS}, load uuid, primary key (${key})) ${partitions}`);
    for (const n of how === 'partitions' ? [0, 1] : []) {
      await runtime.pool.query(
        `create table target_${n} partition of target for values with (modulus 2, remainder ${n})`,
      );
    }
    if (how !== 'a trigger') return;
    await runtime.pool.query(
      `create or replace function note() returns trigger language plpgsql as
         $$ begin insert into other values (tg_op); return new; end $$;
       create trigger noted before update on target for each row execute function note()`,
    );
  }

  it.each([
    ['a primary key', undefined],
    ['a primary key', 'load'],
    ['a composite key', 'load'],
    ['a trigger', 'load'],
    ['partitions', 'load'],
    ['partitions', undefined],
  ])('writes no row again that is as it was: %s, load id %s', async (how, loadIdColumn) => {
    await aTarget(how);
    const sink = { mode: 'UPSERT', ...(loadIdColumn && { loadIdColumn }) };
    const first = await load(sink, RECORDS);
    const before = await written();
    await load(sink, RECORDS);
    expect(await written()).toEqual(before);
    // One value differs, in a type without equality; one is null now.
    const changed = RECORDS.map((row) =>
      row.id === 3 ? { ...row, plain: '{"z": 3, "a" : 1}' } : row.id === 4 ? { ...row, name: null } : row,
    );
    const third = await load(sink, changed);
    expect(await written()).toEqual(
      before.map((row, i) => (i === 3 || i === 4 ? expect.not.stringMatching(`^${row}$`) : row)),
    );
    if (loadIdColumn) expect(await loadsOf()).toEqual(ROWS.map((_, i) => (i === 3 || i === 4 ? third : first)));
    expect(await runtime.column('select what from other')).toEqual(how === 'a trigger' ? ['UPDATE', 'UPDATE'] : []);
  });
});
