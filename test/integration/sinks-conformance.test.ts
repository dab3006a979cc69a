import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../src/core/ids.js';
import { SINKS } from '../../src/engine/registry.js';
import type { Part, SinkBinding } from '../../src/engine/sinks/sink.js';
import type { Pool } from '../../src/store/pool.js';
import { type SinkUnderTest, sinkConformance } from '../conformance/sink.js';
import { emptyDatabase } from '../support/database.js';
import { type HttpReceiver, startHttpReceiver } from '../support/http-receiver.js';
import { bindSink, type Row, type SinkHome, sinkHome } from '../support/load-parts.js';

let pool: Pool;
let home: SinkHome;
let crm: HttpReceiver;
let duck: Awaited<ReturnType<DuckDBInstance['connect']>>;

beforeAll(async () => {
  ({ pool } = await emptyDatabase());
  crm = await startHttpReceiver();
  const endpoints = crm.endpoints();
  afterAll(() => Promise.all([endpoints.close(), crm.close()]));
  home = await sinkHome(endpoints);
  duck = await (await DuckDBInstance.create()).connect();
});

const sinkNamed = (name: string) => {
  const found = SINKS.find((sink) => sink.name === name);
  if (!found) throw new Error(`no sink ${name}`);
  return found;
};

function table(title: string, options: object, ddl: ((name: string) => string) | null): SinkUnderTest {
  return {
    name: `postgres, ${title}`,
    async fresh() {
      const name = `t_${newId().replaceAll('-', '')}`;
      if (ddl) await pool.query(ddl(name));
      const exists = async () => (await pool.query('SELECT to_regclass($1) AS oid', [name])).rows[0]?.oid !== null;
      return {
        sink: bindSink(sinkNamed('postgres'), { table: name, createTable: ddl === null, ...options }),
        ids: async () =>
          (await exists())
            ? (await pool.query(`SELECT id FROM ${name} ORDER BY id`)).rows.map((row) => Number(row.id))
            : null,
        leftovers: async () =>
          (await pool.query(`SELECT relname FROM pg_class WHERE relname LIKE '\\_sluice%'`)).rows.map((row) =>
            String(row.relname),
          ),
      };
    },
  };
}

/** Writes the finished file as the engine does, with the options that the sink asks for. */
async function finished(sink: SinkBinding, rows: readonly Row[]): Promise<Part> {
  if (sink.staging.kind !== 'FILE') throw new Error('not a file sink');
  const part = await home.part(0, '', 'FILE', rows.length);
  const value = (v: string | number | null) =>
    v === null ? 'NULL' : typeof v === 'number' ? `${v}` : `'${v.replaceAll("'", "''")}'`;
  const values = rows.map((row) => `(${row.map(value).join(', ')})`).join(', ');
  await duck.run(`COPY (SELECT * FROM (VALUES ${values}) AS t(id, v)) TO '${part.uri}' (${sink.staging.copyOptions})`);
  return part;
}

function file(name: string, ending: string, options: object = {}, reader = `read_${name}`): SinkUnderTest {
  return {
    name: `${name} ${ending}`,
    async fresh() {
      const folder = `f-${newId()}`;
      const sink = bindSink(sinkNamed(name), { uri: `file:${folder}/out${ending}`, ...options });
      const list = async () => (await readdir(join(home.home, folder)).catch(() => [])) as string[];
      return {
        sink,
        async ids() {
          if ((await list()).every((each) => each !== `out${ending}`)) return null;
          const result = await duck.runAndReadAll(
            `SELECT id FROM ${reader}('${join(home.home, folder, `out${ending}`)}') ORDER BY id`,
          );
          return result.getRows().map(([id]) => Number(id));
        },
        leftovers: async () => (await list()).filter((each) => each !== `out${ending}`),
      };
    },
    file: (rows) => finished(bindSink(sinkNamed(name), { uri: `file:x${ending}`, ...options }), rows),
  };
}

/** A receiver that takes each key once. */
function http(options: object): SinkUnderTest {
  return {
    name: `http, ${JSON.stringify(options)}`,
    async fresh() {
      const path = newId();
      const sent = () => crm.calls.filter((call) => call.path === `/api/${path}`);
      return {
        sink: bindSink(sinkNamed('http'), { connection: 'crm', path, ...options }),
        async ids() {
          const bodies = new Map(sent().map(({ key, body }) => [key, body])).values();
          const lines = [...bodies].flatMap((body) => body.match(/"id":\d+/g) ?? []);
          return lines.map((line) => Number(line.slice(5))).sort((a, b) => a - b);
        },
        leftovers: async () => [],
      };
    },
  };
}

const UNDER_TEST: readonly SinkUnderTest[] = [
  table('APPEND', {}, (name) => `CREATE TABLE ${name} (id integer, v text)`),
  table('APPEND with a key', {}, (name) => `CREATE TABLE ${name} (id integer PRIMARY KEY, v text)`),
  table('UPSERT', { mode: 'UPSERT', key: ['id'] }, (name) => `CREATE TABLE ${name} (id integer PRIMARY KEY, v text)`),
  table('REPLACE by swap', { mode: 'REPLACE' }, (name) => `CREATE TABLE ${name} (id integer PRIMARY KEY, v text)`),
  table(
    'REPLACE of rows',
    { mode: 'REPLACE' },
    (name) => `CREATE TABLE ${name} (id integer, v text); CREATE VIEW v${name} AS SELECT * FROM ${name}`,
  ),
  table('created', {}, null),
  table('created for UPSERT', { mode: 'UPSERT', key: ['id'] }, null),
  file('csv', '.csv'),
  file('csv', '.csv.gz', { delimiter: ';' }),
  file('csv', '.tsv.zst', { delimiter: '\t', nullString: 'NULL' }),
  file('ndjson', '.ndjson', {}, 'read_ndjson'),
  file('ndjson', '.jsonl.gz', {}, 'read_ndjson'),
  file('parquet', '.parquet'),
  file('parquet', '.parquet', { compression: 'NONE' }),
  http({}),
  http({ batchRows: 1, format: 'NDJSON', concurrency: 3, method: 'PUT' }),
];

for (const under of UNDER_TEST) sinkConformance(under, () => ({ pool, home }));

describe('the list of sinks', () => {
  it('is all held against the contract', () => {
    expect([...new Set(UNDER_TEST.map((under) => under.name.split(/[, ]/)[0]))].sort()).toEqual(
      SINKS.map((sink) => sink.name).sort(),
    );
  });

  it.each(['postgres', 'csv', 'ndjson', 'parquet', 'http'])('holds an example of %s that parses', (name) => {
    const component = sinkNamed(name);
    const { options } = component.parse(component.example, []);
    expect(component.parse(options, []).options).toEqual(options);
  });
});

describe('a file sink', () => {
  it('writes CSV that keeps NULL and empty text apart', async () => {
    const sink = bindSink(sinkNamed('csv'), { uri: 'file:nulls.csv', quote: "'", escape: "'" });
    const part = await finished(sink, [
      [1, null],
      [2, ''],
      [3, `it's`],
    ]);
    expect(await readFile(part.uri, 'utf8')).toBe(`id,v\n1,\n2,''\n3,'it''s'\n`);
  });
});
