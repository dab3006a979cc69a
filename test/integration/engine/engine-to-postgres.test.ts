import { beforeAll, describe, expect, it } from 'vitest';
import type { WithSinkClient } from '../../../src/engine/engine.js';
import type { Evaluation } from '../../../src/engine/pipeline.js';
import type { Recheck } from '../../../src/engine/sinks/sink.js';
import { type Pool, withTransaction } from '../../../src/store/pool.js';
import { emptyDatabase } from '../../support/database.js';
import { copyRows, type EngineHome, engineHome, isBalanced, type Spec } from '../../support/engine-home.js';

let pool: Pool;
let home: EngineHome;
let jobs = 0;

beforeAll(async () => {
  ({ pool } = await emptyDatabase());
  home = await engineHome();
});

const withSinkClient: WithSinkClient = async (work) => {
  const client = await pool.connect();
  try {
    return await work(client);
  } finally {
    client.release();
  }
};

/** Evaluates and loads, as a worker does: each part in a transaction of its own, in any order. */
async function load(spec: Spec, order: (parts: Evaluation['parts']) => Evaluation['parts'] = (parts) => parts) {
  const pipeline = home.pipelineOf(spec);
  const { sink } = pipeline;
  const ran = await home.run(spec, undefined, withSinkClient);
  const { evaluation } = ran;
  expect(isBalanced(evaluation)).toBe(true);
  jobs += 1;
  const id = `00000000-0000-7000-8000-${String(jobs).padStart(12, '0')}`;
  const prepared = await withTransaction(pool, (client) => sink.prepare(client, { id }, evaluation.output, home.files));
  const signal = new AbortController().signal;
  let loaded = 0;
  const readBack: (Recheck | null)[] = [];
  for (const part of order(evaluation.parts.filter(({ kind }) => kind === 'ROWS'))) {
    const { rows, recheck } = await withTransaction(pool, (client) => sink.load({ client, signal }, prepared, part));
    loaded += rows;
    readBack.push(recheck);
  }
  const published = { rows: loaded, parts: async () => evaluation.parts.filter(({ kind }) => kind === 'ROWS') };
  readBack.push(await withTransaction(pool, (client) => sink.publish({ client, signal }, prepared, published)));
  expect(loaded).toBe(evaluation.rowsGood);
  // Whatever is loaded here is found in the target as it was evaluated.
  const rechecks = readBack.filter((recheck) => recheck !== null);
  expect(rechecks.some(({ rows }) => rows > 0)).toBe(loaded > 0);
  for (const recheck of rechecks) expect(recheck).toMatchObject({ differing: 0, problem: null });
  return ran;
}

const rowsOf = async (sql: string): Promise<unknown[][]> =>
  (await pool.query<Record<string, unknown>>(sql)).rows.map((row) => Object.values(row));

const NASTY = [
  '\\.',
  '\\N',
  'a\\Nb',
  '\\',
  '\\\\',
  'tab\there',
  'line\nfeed',
  'carriage\rreturn',
  'crlf\r\n',
  '"quoted"',
  "it's",
  '',
  ' ',
  'é😀\u0301',
  '\\t',
  '\\x41',
  'null',
  '\u0001\u001f\u007f',
  '\u2028',
  'x'.repeat(100_000),
  '\\.\n\\.',
  '\t\t',
  '\\\n',
  '$$;DROP TABLE x;--',
];

describe('what arrives in PostgreSQL', () => {
  it('is every text byte by byte, from CSV and from JSON', async () => {
    const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
    const csv = await home.write('nasty.csv', `id,v\n${NASTY.map((text, i) => `${i},${quoted(text)}\n`).join('')}`);
    const json = await home.write('nasty.json', JSON.stringify(NASTY.map((v, id) => ({ id, v }))));
    for (const [table, source] of [
      ['from_csv', { csv: { uri: csv } }],
      ['from_json', { json: { uri: json } }],
    ] as const) {
      await load({ source, sink: { postgres: { table, createTable: true } } });
      expect(await rowsOf(`SELECT v FROM ${table} ORDER BY id::int`)).toEqual(NASTY.map((text) => [text]));
    }
  });

  it('is every number, date and time exactly', async () => {
    await pool.query(
      'CREATE TABLE exact (id bigint, big numeric, n numeric(38,10), d date, ts timestamp, tz timestamptz, f float8, t time)',
    );
    const lines = [
      '9007199254740993,18446744073709551615,1234567890123456789012345678.0123456789,0001-01-01,0001-01-01 00:00:00,9999-12-31 23:59:59.999999,NaN,23:59:59.999999',
      '-9223372036854775808,123456789012345678901234567890.123456789012345678901234567890,-0.0000000001,9999-12-31,9999-12-31 23:59:59.999999,0001-01-01 00:00:00+00,-Infinity,00:00:00',
      '1,NaN,1,0044-03-15 (BC),infinity,-infinity,1.7976931348623157e308,12:00:00',
    ];
    const uri = await home.write('exact.csv', `id,big,n,d,ts,tz,f,t\n${lines.join('\n')}\n`);
    const { evaluation } = await load({ source: { csv: { uri } }, sink: { postgres: { table: 'exact' } } });
    expect(evaluation).toMatchObject({ rowsGood: 3, rowsQuarantined: 0 });
    const columns = ['id', 'big', 'n', 'd', 'ts', 'f', 't'].map((name) => `${name}::text`).join(', ');
    expect(await rowsOf(`SELECT ${columns} FROM exact ORDER BY t DESC`)).toEqual([
      [
        '9007199254740993',
        '18446744073709551615',
        '1234567890123456789012345678.0123456789',
        '0001-01-01',
        '0001-01-01 00:00:00',
        'NaN',
        '23:59:59.999999',
      ],
      ['1', 'NaN', '1.0000000000', '0044-03-15 BC', 'infinity', '1.7976931348623157e+308', '12:00:00'],
      [
        '-9223372036854775808',
        '123456789012345678901234567890.123456789012345678901234567890',
        '-0.0000000001',
        '9999-12-31',
        '9999-12-31 23:59:59.999999',
        '-Infinity',
        '00:00:00',
      ],
    ]);
    expect(await rowsOf(`SELECT (tz AT TIME ZONE 'UTC')::text FROM exact ORDER BY t DESC`)).toEqual([
      ['9999-12-31 23:59:59.999999'],
      ['-infinity'],
      ['0001-01-01 00:00:00'],
    ]);
  });

  it('is nothing that PostgreSQL cannot hold: NUL, NaN in JSON, what is too long, too large or missing', async () => {
    await pool.query(`CREATE TYPE mood AS ENUM ('good', 'bad')`);
    await pool.query(
      'CREATE TABLE strict (id integer NOT NULL, v text, j jsonb, s varchar(3), m mood, n numeric(4,1))',
    );
    const good = { id: 1, v: 'x', j: { a: 1 }, s: 'äöü', m: 'good', n: '1.25' };
    const lines = [
      good,
      { ...good, v: 'a\u0000b' },
      { ...good, j: { a: '\u0000' } },
      { ...good, s: 'four' },
      { ...good, m: 'fine' },
      { ...good, n: '1000' },
      { ...good, id: null },
      { ...good, id: 2_147_483_648 },
    ].map((row) => JSON.stringify(row));
    const uri = await home.write('strict.ndjson', [...lines, lines[0]?.replace('{"a":1}', '{"a":NaN}')].join('\n'));
    const { bad } = await load({ source: { ndjson: { uri } }, sink: { postgres: { table: 'strict' } } });
    expect(bad.map(({ rowNumber, reasons }) => [rowNumber, reasons[0]?.column, reasons[0]?.code])).toEqual([
      [2, 'v', 'NUL_CHARACTER'],
      [3, 'j', 'NUL_CHARACTER'],
      [4, 's', 'TOO_LONG'],
      [5, 'm', 'NO_SUCH_LABEL'],
      [6, 'n', 'CAST_FAILED'],
      [7, 'id', 'NULL_NOT_ALLOWED'],
      [8, 'id', 'CAST_FAILED'],
      [9, 'j', 'NOT_A_NUMBER'],
    ]);
    // As PostgreSQL rounds.
    expect(await rowsOf('SELECT n::text FROM strict')).toEqual([['1.3']]);
  });

  it('is the union of many parts, in whatever order they are loaded', async () => {
    const count = 30_000;
    const csv = `id,v\n${Array.from({ length: count }, (_, i) => `${i},value ${i}`).join('\n')}\n`;
    const { evaluation } = await load(
      {
        source: { csv: { uri: await home.write('parts.csv', csv) } },
        steps: [{ cast: { columns: [{ name: 'id', type: 'INTEGER' }] } }],
        sink: { postgres: { table: 'parts', createTable: true } },
        options: { chunkRows: 500, errorBudget: {} },
      },
      (parts) => [...parts].reverse(),
    );
    expect(evaluation.parts.length).toBeGreaterThan(3);
    const rows = (await Promise.all(evaluation.parts.map(copyRows))).flat();
    expect(new Set(rows.map(([id]) => Number(id))).size).toBe(count);
    expect(await rowsOf('SELECT count(*)::int AS rows, count(DISTINCT id)::int AS ids, max(id) FROM parts')).toEqual([
      [count, count, count - 1],
    ]);
  });

  it('is, for an UPSERT, the last good row of each key in source order', async () => {
    await pool.query('CREATE TABLE upserted (id integer PRIMARY KEY, n integer)');
    await pool.query('INSERT INTO upserted VALUES (1, -1), (9, 9)');
    const csv = 'id,n\n1,1\n2,1\n1,2\n,5\n2,2\n1,bad\n3,1\n';
    const { evaluation, bad } = await load({
      source: { csv: { uri: await home.write('upsert.csv', csv) } },
      sink: { postgres: { table: 'upserted', mode: 'UPSERT', key: ['id'] } },
    });
    expect(evaluation).toMatchObject({ rowsRead: 7, rowsGood: 3, rowsDeduplicated: 2, rowsQuarantined: 2 });
    expect(bad.map(({ rowNumber, reasons }) => [rowNumber, reasons.map(({ code }) => code)])).toEqual([
      [4, expect.arrayContaining(['KEY_MISSING'])],
      [6, ['CAST_FAILED']],
    ]);
    expect(await rowsOf('SELECT id, n FROM upserted ORDER BY id')).toEqual([
      [1, 2],
      [2, 2],
      [3, 1],
      [9, 9],
    ]);
  });

  it('has the names of the source, however odd', async () => {
    const names = ['select', 'a "b"', 'größe 😀', ' x ', "it's", 'ORDER', 'n'.repeat(60)];
    const csv = `${names.map((name) => `"${name.replaceAll('"', '""')}"`).join(',')}\n${names.map((_, i) => i).join(',')}\n`;
    await load({
      source: { csv: { uri: await home.write('names.csv', csv) } },
      sink: { postgres: { table: 'Odd "names"', createTable: true } },
    });
    const { rows, fields } = await pool.query('SELECT * FROM "Odd ""names"""');
    expect(fields.map(({ name }) => name)).toEqual(names);
    expect(Object.values(rows[0] as object)).toEqual(names.map((_, i) => String(i)));
  });
});
