import type { Pool } from '../../src/store/pool.js';
import type { CopyCase } from './cases.js';
import { copyRows } from './copy-rows.js';
import { type Circumstances, type Difference, type Disagreeing, excuse } from './differences.js';
import type { Loader } from './load-rows.js';
import { record, type Value } from './records.js';

/** One row that PostgreSQL and Sluice do not agree on, and that no rule excuses. */
export interface Disagreement {
  readonly type: string;
  /** Whether a cast step had the type, or the target's column alone. */
  readonly by: 'cast' | 'target';
  readonly kind: Disagreeing;
  readonly text: string | null;
  /** The stored value, or what the server said. */
  readonly postgres: string | null;
  readonly sluice: string | null;
}

export interface Comparison {
  readonly rows: number;
  /** Rows that both have stored alike, and rows that both have refused. */
  readonly accepted: number;
  readonly refused: number;
  readonly excused: ReadonlyMap<Difference, number>;
  readonly disagreements: readonly Disagreement[];
}

interface DifferingRow {
  readonly id: number;
  readonly in_postgres: boolean;
  readonly in_sluice: boolean;
  readonly postgres: string | null;
  readonly sluice: string | null;
}

/** As PostgreSQL holds them, bit by bit: 1.0 and 1.00 are two values, as are 0 and -0. */
const differingRows = (ours: string, theirs: string): string =>
  `SELECT coalesce(p.id, s.id) AS id, p.id IS NOT NULL AS in_postgres, s.id IS NOT NULL AS in_sluice,
          left(p.v::text, 200) AS postgres, left(s.v::text, 200) AS sluice
     FROM ${theirs} AS p FULL JOIN ${ours} AS s USING (id)
    WHERE p.id IS NULL OR s.id IS NULL OR record_image_ne(row(p.v), row(s.v)) ORDER BY 1`;

export interface Place {
  readonly url: string;
  readonly pool: Pool;
  readonly loader: Loader;
}

/** Loads the values by both into tables of the type and compares row by row. */
export async function compare(
  { url, pool, loader }: Place,
  { type, cast, timeZone }: Pick<CopyCase, 'type' | 'cast' | 'timeZone'>,
  values: readonly Value[],
): Promise<Comparison> {
  const { rows: version } = await pool.query<{ major: number }>(
    `SELECT current_setting('server_version_num')::int / 10000 AS major`,
  );
  const circumstances: Omit<Circumstances, 'written'> = { type, server: version[0]?.major ?? 0, timeZone };
  const records = values.map((value, id) => record(id, value));
  await pool.query(`DROP TABLE IF EXISTS by_copy; CREATE TABLE by_copy (id integer, v ${type})`);
  const refusals = await copyRows(url, 'by_copy', records, timeZone);
  const excused = new Map<Difference, number>();
  const disagreements: Disagreement[] = [];
  let agreed = values.length;
  for (const by of cast === null ? (['target'] as const) : (['target', 'cast'] as const)) {
    await pool.query(`DROP TABLE IF EXISTS by_sluice; CREATE TABLE by_sluice (id integer, v ${type})`);
    await loader.load(Buffer.concat(records), 'by_sluice', by === 'cast' ? cast : null);
    const { rows } = await pool.query<DifferingRow>(differingRows('by_sluice', 'by_copy'));
    agreed = Math.min(agreed, values.length - rows.length);
    for (const row of rows) {
      const value = values[row.id];
      const text = value?.text ?? null;
      const kind = !row.in_postgres ? 'WRONG_ACCEPT' : !row.in_sluice ? 'WRONG_REJECT' : 'OTHER_VALUE';
      const written = value?.written.toString() ?? '';
      const rule = text === null ? undefined : excuse(kind, text, { ...circumstances, written });
      if (rule !== undefined) excused.set(rule, (excused.get(rule) ?? 0) + 1);
      else {
        const postgres = row.in_postgres ? row.postgres : (refusals.get(row.id) ?? null);
        disagreements.push({ type, by, kind, text: text?.slice(0, 200) ?? null, postgres, sluice: row.sluice });
      }
    }
  }
  return { rows: values.length, refused: refusals.size, accepted: agreed - refusals.size, excused, disagreements };
}
