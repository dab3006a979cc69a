import { quoteIdentifier as q, quoteLiteral } from '../column.js';
import { type Check, FILE, type Relation, ROW_NUMBER, withinFile } from '../relation.js';
import type { Session } from '../session.js';
import { expectationChecks, fates, reasonsText } from './fate.js';

/** Bad rows that are collected while counting; more of them are fetched by a pass of their own. */
const COLLECTED_ROWS = 10_000;
export const SAMPLES = 10;

/**
 * Table of bad rows: pass, rn (number in reading order), file, reasons (JSON), broken (positions of the expectations
 * that set the row aside), raw.
 */
export const BAD_ROWS = 'sluice_bad';

export interface Account {
  readonly read: number;
  readonly filtered: number;
  readonly bad: number;
  readonly good: number;
  /** Rows that the expectations have judged. */
  readonly reached: number;
  /** Per position of an expectation in the spec. */
  readonly violations: ReadonlyMap<number, Violations>;
  /** Rows of a key after its first, per name of a distinct count that was asked for. */
  readonly duplicates: ReadonlyMap<string, number>;
}

export interface Violations {
  readonly failed: number;
  readonly samples: readonly Sample[];
}

export interface Sample {
  readonly rowNumber: number | null;
  readonly raw: string;
}

/** Counts rows whose key stands more than once among the rows of that fate. */
export interface KeyCount {
  readonly name: string;
  readonly columns: readonly string[];
  readonly among: 'reached' | 'good';
}

/**
 * One query that counts the fate of every row and collects the bad ones, in `BAD_ROWS`.
 * @param wrap puts the source under the SELECT; empty for relations over tables
 */
export async function takeAccount(
  session: Session,
  relation: Relation,
  wrap: (select: string) => string,
  keys: readonly KeyCount[],
  pass: number,
): Promise<Account> {
  const { filtered, reached, bad, good } = fates(relation.gates);
  const checks = expectationChecks(relation.gates);
  const order = `coalesce(${q(ROW_NUMBER)}, 0)`;
  const broken = checks.map((check) => `(${reached}) AND ${q(check.flag)}`);
  const kept = badRowSql(relation, checks, reached);
  const items = [
    'count(*) AS read',
    `count(*) FILTER (${filtered}) AS filtered`,
    `count(*) FILTER (${bad}) AS bad`,
    `count(*) FILTER (${reached}) AS reached`,
    // Only references are taken here: what is kept of a bad row is made of them once they are few.
    `arg_min(struct_pack(${relation.evidence.map((name) => `${q(name)} := ${q(name)}`).join(', ')}), ${order}, ${COLLECTED_ROWS}) FILTER (${bad}) AS collected`,
    ...broken.map((sql, i) => `count(*) FILTER (${sql}) AS v${i}`),
    ...broken.flatMap((sql, i) =>
      checks[i]?.quarantines
        ? []
        : `arg_min(CASE WHEN ${sql} THEN {rn: ${q(ROW_NUMBER)}, raw: ${relation.raw}} END, ${order}, ${SAMPLES}) FILTER (${sql}) AS s${i}`,
    ),
    ...keys.map((key, i) => `${duplicates(key, key.among === 'good' ? good : reached)} AS d${i}`),
  ];
  const table = `sluice_account_${pass}`;
  await session.run(`CREATE TABLE ${table} AS ${wrap(`SELECT ${items.join(', ')} FROM (${relation.toSql()})`)}`);
  const samples = checks.flatMap((check, i) =>
    check.quarantines ? [] : `list_transform(s${i}, lambda x: {rn: ${withinFile('x.rn')}, raw: x.raw})::JSON AS s${i}`,
  );
  const counts = [
    'read',
    'filtered',
    'bad',
    'reached',
    ...broken.map((_, i) => `v${i}`),
    ...keys.map((_, i) => `d${i}`),
  ];
  const [row] = await session.query(`SELECT ${[...counts, ...samples].join(', ')} FROM ${table}`);
  const count = (name: string): number => Number(row?.[name] ?? 0);
  const badRows = count('bad');
  const keep = `INSERT INTO ${BAD_ROWS} BY NAME`;
  const columns = kept.map(({ name, sql }) => `${sql} AS ${name}`).join(', ');
  if (badRows > COLLECTED_ROWS) {
    await session.run(`${keep} ${wrap(`SELECT ${pass} AS pass, ${columns} FROM (${relation.toSql()}) WHERE ${bad}`)}`);
  } else if (badRows > 0) {
    await session.run(
      `${keep} SELECT ${pass} AS pass, ${columns} FROM (SELECT x.* FROM (SELECT unnest(collected) AS x FROM ${table}))`,
    );
  }
  await session.run(`DROP TABLE ${table}`);
  const setAside = badRows > 0 ? await samplesOfBadRows(session, pass) : new Map<number, Sample[]>();
  const violations = new Map<number, Violations>();
  for (const [i, { expectation, quarantines }] of checks.entries()) {
    if (expectation === null) continue;
    const samples = quarantines ? (setAside.get(expectation) ?? []) : parseSamples(row?.[`s${i}`]);
    violations.set(expectation, { failed: count(`v${i}`), samples });
  }
  return {
    read: count('read'),
    filtered: count('filtered'),
    bad: badRows,
    good: count('read') - count('filtered') - badRows,
    reached: count('reached'),
    violations,
    duplicates: new Map(keys.map((key, i) => [key.name, count(`d${i}`)])),
  };
}

/** Less saves nothing. */
const MIN_OBJECT_BYTES = 1024 * 1024;

/** What marked lines tell of bad rows. */
export interface BadLines {
  /** Those that the expectations have judged. */
  readonly reached: number;
  /** Per position of an expectation. */
  readonly failed: ReadonlyMap<number, number>;
  readonly samples: ReadonlyMap<number, readonly Sample[]>;
}

/**
 * Reads the bad rows of marked lines from their file into `BAD_ROWS`.
 * @param records the file, and what numbers its rows: their line, or the number that they carry themselves
 */
export async function tableOfBadLines(
  session: Session,
  bad: number,
  records: { readonly path: string; readonly longestBytes: number; readonly numbers: 'line' | 'rn' },
  pass: number,
): Promise<BadLines> {
  if (bad === 0) return { reached: 0, failed: new Map(), samples: new Map() };
  const { path, longestBytes, numbers } = records;
  const columns = `{line: 'BIGINT', rn: 'BIGINT', file: 'VARCHAR', reasons: 'JSON', broken: 'INTEGER[]', raw: 'VARCHAR'}`;
  await session.run(
    `INSERT INTO ${BAD_ROWS} BY NAME SELECT ${pass} AS pass, ${numbers} AS rn, file, reasons, broken, raw
     FROM read_json(${quoteLiteral(path)}, format = 'newline_delimited', columns = ${columns}, maximum_object_size = ${Math.max(longestBytes, MIN_OBJECT_BYTES)})`,
  );
  const [row] = await session.query(
    `SELECT count(*) FILTER (len(broken) > 0) AS reached FROM ${BAD_ROWS} WHERE pass = ${pass}`,
  );
  const counts = await session.query(
    `SELECT e, count(*) AS n FROM (SELECT unnest(broken) AS e FROM ${BAD_ROWS} WHERE pass = ${pass}) GROUP BY e`,
  );
  return {
    reached: Number(row?.reached ?? 0),
    failed: new Map(counts.map(({ e, n }) => [Number(e), Number(n)])),
    samples: await samplesOfBadRows(session, pass),
  };
}

/**
 * The account of an evaluation that has marked its lines. Every check has to set its rows aside, since lines of good rows
 * say nothing of checks.
 */
export function accountOfLines(
  relation: Relation,
  { lines, filtered, bad }: { readonly lines: number; readonly filtered: number; readonly bad: number },
  { reached, failed, samples }: BadLines,
): Account {
  const violations = new Map<number, Violations>();
  for (const { expectation } of expectationChecks(relation.gates)) {
    if (expectation === null) continue;
    violations.set(expectation, { failed: failed.get(expectation) ?? 0, samples: samples.get(expectation) ?? [] });
  }
  const good = lines - filtered - bad;
  return { read: lines, filtered, bad, good, reached: good + reached, violations, duplicates: new Map() };
}

/** What is kept of a bad row. */
export function badRowSql(
  relation: Relation,
  checks: readonly Check[],
  reached: string,
): readonly { readonly name: string; readonly sql: string }[] {
  const positions = checks
    .filter((check) => check.quarantines)
    .map((check) => `CASE WHEN ${q(check.flag)} THEN ${check.expectation} END`);
  const broken = `list_filter([${positions.join(', ')}]::INTEGER[], lambda e: e IS NOT NULL)`;
  return [
    { name: 'rn', sql: q(ROW_NUMBER) },
    { name: 'file', sql: q(FILE) },
    { name: 'reasons', sql: `CAST(${reasonsText(relation.gates)} AS JSON)` },
    { name: 'broken', sql: `CASE WHEN ${reached} THEN ${broken} ELSE [] END` },
    { name: 'raw', sql: relation.raw },
  ];
}

/** The first rows that each expectation has set aside, by its position; cheaper than collecting them once more. */
export async function samplesOfBadRows(
  session: Session,
  pass: number,
): Promise<ReadonlyMap<number, readonly Sample[]>> {
  const rows = await session.query(
    `SELECT e, ${withinFile('rn')} AS rn, raw FROM (SELECT unnest(broken) AS e, rn, raw FROM ${BAD_ROWS} WHERE pass = ${pass})
     QUALIFY row_number() OVER (PARTITION BY e ORDER BY coalesce(rn, 0)) <= ${SAMPLES} ORDER BY e, rn`,
  );
  const samples = new Map<number, Sample[]>();
  for (const row of rows) {
    const of = samples.get(Number(row.e)) ?? [];
    of.push(sampleOf(row));
    samples.set(Number(row.e), of);
  }
  return samples;
}

/** The first rows whose key stood before among those that the expectations judge. */
export async function samplesOfDuplicates(
  session: Session,
  relation: Relation,
  keyColumns: readonly string[],
  wrap: (select: string) => string,
): Promise<readonly Sample[]> {
  const { reached } = fates(relation.gates);
  const columns = keyColumns.map(q);
  const complete = columns.map((column) => `${column} IS NOT NULL`).join(' AND ');
  const rows = await session.query(
    wrap(`SELECT ${withinFile(q(ROW_NUMBER))} AS rn, ${relation.raw} AS raw FROM (SELECT * FROM (${relation.toSql()}) WHERE ${reached} AND ${complete}
      QUALIFY row_number() OVER (PARTITION BY ${columns.join(', ')} ORDER BY ${q(ROW_NUMBER)}) > 1) ORDER BY ${q(ROW_NUMBER)} LIMIT ${SAMPLES}`),
  );
  return rows.map(sampleOf);
}

const sampleOf = (row: Readonly<Record<string, unknown>>): Sample => ({
  rowNumber: row.rn === null ? null : Number(row.rn),
  raw: String(row.raw),
});

/** Rows beyond the first of their key; rows with a null in the key do not count. */
function duplicates(key: KeyCount, among: string): string {
  const columns = key.columns.map(q);
  const complete = `(${among}) AND ${columns.map((column) => `${column} IS NOT NULL`).join(' AND ')}`;
  const value = columns.length === 1 ? columns[0] : `(${columns.join(', ')})`;
  return `count(*) FILTER (${complete}) - count(DISTINCT ${value}) FILTER (${complete})`;
}

function parseSamples(json: unknown): readonly Sample[] {
  if (typeof json !== 'string') return [];
  // Written by the query above, so its shape is known.
  const rows = JSON.parse(json) as { rn: number | null; raw: string }[];
  return rows.map(({ rn, raw }) => ({ rowNumber: rn, raw }));
}
