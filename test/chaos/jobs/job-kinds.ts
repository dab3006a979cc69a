import { createHash } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pool } from '../../../src/store/pool.js';
import { seededFor } from '../../support/seeded.js';

/** Where the rows of a job go, and how one reads what is there. */
export interface JobKind {
  readonly name: string;
  sink(target: string): object;
  /** What stands there before. */
  prepare(place: Place, target: string): Promise<void>;
  /** sha256 over the sorted rows; null when there is nothing. */
  digest(place: Place, target: string): Promise<string | null>;
  remove(place: Place, target: string): Promise<void>;
}

export interface Place {
  readonly pool: Pool;
  readonly warehouse: Pool;
  /** The data folder of the processes. */
  readonly folder: string;
}

const COLUMNS = 'id bigint primary key, name text, amount numeric(12,2)';
const ROWS = 5_000;
/** Parts of a job: five of rows and one of bad ones. */
const CHUNK_ROWS = 1_024;
/** Rows that a target has before, whose keys come again. */
const EARLIER = 500;

const tableDigest = async (pool: Pool, table: string): Promise<string | null> => {
  const { rows } = await pool.query<{ exists: boolean }>('select to_regclass($1) is not null as exists', [table]);
  if (!rows[0]?.exists) return null;
  const digest = await pool.query<{ digest: string | null }>(
    `select encode(sha256(convert_to(string_agg(row::text, E'\\n' order by row::text), 'UTF8')), 'hex') as digest
     from ${table} as row`,
  );
  return digest.rows[0]?.digest ?? null;
};

type Database = 'pool' | 'warehouse';

const table = (
  name: string,
  options: object,
  { earlier = 0, database = 'pool' }: { earlier?: number; database?: Database } = {},
): JobKind => ({
  name,
  sink: (target) => ({ postgres: { table: target, ...options } }),
  prepare: async (place, target) => {
    // Without a key a row that is loaded twice would be two.
    const columns = earlier > 0 ? COLUMNS : COLUMNS.replace(' primary key', '');
    await place[database].query(`create table ${target} (${columns})`);
    await place[database].query(
      `insert into ${target} select i, 'earlier', i from generate_series(1, ${earlier}::integer) as i`,
    );
  },
  digest: (place, target) => tableDigest(place[database], target),
  remove: async (place, target) => void (await place[database].query(`drop table if exists ${target}`)),
});

const file = (name: 'csv' | 'ndjson'): JobKind => ({
  name,
  sink: (target) => ({ [name]: { uri: `file:${target}.${name}` } }),
  prepare: async () => undefined,
  async digest({ folder }, target) {
    const text = await readFile(join(folder, `${target}.${name}`), 'utf8').catch(() => null);
    return text && createHash('sha256').update(text.split('\n').sort().join('\n')).digest('hex');
  },
  remove: ({ folder }, target) => rm(join(folder, `${target}.${name}`), { force: true }),
});

export const JOB_KINDS: readonly JobKind[] = [
  table('append', { mode: 'APPEND' }),
  table('append, staged', { mode: 'APPEND', staged: true }),
  table('upsert', { mode: 'UPSERT', key: ['id'] }, { earlier: EARLIER }),
  table('replace', { mode: 'REPLACE' }, { earlier: EARLIER }),
  table('append, another database', { mode: 'APPEND', connection: 'warehouse' }, { database: 'warehouse' }),
  table(
    'upsert, another database',
    { mode: 'UPSERT', key: ['id'], connection: 'warehouse' },
    { earlier: EARLIER, database: 'warehouse' },
  ),
  file('csv'),
  file('ndjson'),
];

const SOURCE = 'rows.csv';
const LARGE_SOURCE = 'many-rows.csv';
/** Takes a second or so: long enough to be cancelled in every stage. */
const LARGE_ROWS = 300_000;

/** Writes the files that jobs read: one row of fifty is bad, for one of three reasons. */
export async function writeSources(folder: string, seed: number): Promise<void> {
  await writeSource(join(folder, SOURCE), ROWS, seed);
  await writeSource(join(folder, LARGE_SOURCE), LARGE_ROWS, seed);
}

async function writeSource(path: string, rows: number, seed: number): Promise<void> {
  const random = seededFor(seed, 'rows');
  const lines = Array.from({ length: rows }, (_, i) => {
    const fate = random() * 50;
    if (fate < 0.4) return `${i},"name ${i}",lots`;
    if (fate < 0.7) return `${i},name ${i}`;
    if (fate < 1) return `${i},forbidden,${i}.5`;
    return `${i},"name ""${i}"", of ${Math.floor(random() * 1e6)}",${Math.floor(random() * 1e6) / 100}`;
  });
  await writeFile(path, `id,name,amount\n${lines.join('\n')}\n`);
}

/** The same over many rows. */
export const largeInputOf = (kind: JobKind, target: string): Readonly<Record<string, unknown>> => ({
  ...inputOf(kind, target),
  source: { csv: { uri: `file:${LARGE_SOURCE}` } },
  options: { errorBudget: { percent: 10 } },
});

/** What the job of a kind is launched with. */
export const inputOf = (kind: JobKind, target: string): Readonly<Record<string, unknown>> => ({
  name: `chaos ${kind.name}`,
  idempotencyKey: target,
  source: { csv: { uri: `file:${SOURCE}` } },
  steps: [
    {
      cast: {
        columns: [
          { name: 'id', type: 'BIGINT' },
          { name: 'amount', type: 'DECIMAL', precision: 12, scale: 2 },
        ],
      },
    },
  ],
  expectations: [{ regex: { column: 'name', pattern: '^name' }, severity: 'QUARANTINE' }],
  sink: kind.sink(target),
  options: { chunkRows: CHUNK_ROWS, maxAttempts: 10, errorBudget: { percent: 10 } },
});
