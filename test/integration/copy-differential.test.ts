import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CASES, type CopyCase, sample } from '../differential/cases.js';
import { compare, type Place } from '../differential/compare.js';
import { DIFFERENCES, isOf } from '../differential/differences.js';
import { createLoader } from '../differential/load-rows.js';
import { emptyDatabase } from '../support/database.js';

const ROWS = 150;
const SEED = Date.now() % 1_000_000;

let place: Place;
let server = 0;
beforeAll(async () => {
  const { url, pool } = await emptyDatabase();
  const home = await realpath(await mkdtemp(join(tmpdir(), 'sluice-differential-')));
  afterAll(() => rm(home, { recursive: true, force: true }));
  place = { url, pool, loader: createLoader(home, pool) };
  const { rows } = await pool.query<{ major: number }>(
    `SELECT current_setting('server_version_num')::int / 10000 AS major`,
  );
  server = rows[0]?.major ?? 0;
});

describe(`a CSV file loaded by Sluice and by PostgreSQL's COPY, seed ${SEED}`, () => {
  it.each(CASES.map((each, i) => [`${each.type}, ${i}`, each] as const))('%s: the same rows', async (_name, each) => {
    const { disagreements } = await compare(place, each, sample(each, ROWS, SEED));
    expect(disagreements, `npm run fuzz:copy -- --seed ${SEED} --type '${each.type}'`).toEqual([]);
  });
});

/** The case of a rule: values as they are in its list. */
const caseOf = (type: string, timeZone: string): Pick<CopyCase, 'type' | 'cast' | 'timeZone'> => ({
  type,
  cast: CASES.find((each) => each.type === type)?.cast ?? null,
  timeZone,
});

describe('a difference that is meant to be', () => {
  it.each(DIFFERENCES.map((rule) => [rule.name, rule] as const))('%s: is there', async (_name, rule) => {
    if (!isOf(rule, server)) return;
    const [type = ''] = rule.types;
    const values = rule.examples.map((text) => {
      const isField = rule.kind === 'ANY';
      return { text, written: Buffer.from(isField ? text : `"${text.replaceAll('"', '""')}"`) };
    });
    const { excused, disagreements } = await compare(place, caseOf(type, rule.timeZone ?? 'UTC'), values);
    expect(disagreements).toEqual([]);
    const ways = caseOf(type, 'UTC').cast === null ? 1 : 2;
    expect([...excused].map(([{ name }, times]) => [name, times])).toEqual([[rule.name, rule.examples.length * ways]]);
  });
});
