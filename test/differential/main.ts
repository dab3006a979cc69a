// npm run fuzz:copy [-- --rows 100000 --seed 1 --type date]
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createPool } from '../../src/store/pool.js';
import { whole } from '../bench/arguments.js';
import { openBenchDatabase } from '../bench/bench-database.js';
import { CASES, sample } from './cases.js';
import { compare, type Disagreement } from './compare.js';
import type { Difference } from './differences.js';
import { createLoader } from './load-rows.js';

const SHOWN = 20;

const { values: given } = parseArgs({
  options: {
    rows: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    type: { type: 'string', default: '' },
  },
});
const cases = CASES.filter(({ type }) => type.startsWith(given.type));
const rows = Math.ceil(whole(given.rows, 'rows', 1) / cases.length);
const seed = whole(given.seed, 'seed', 0);

const database = await openBenchDatabase(process.env.DATABASE_URL);
const pool = createPool(database.url, { max: 5, applicationName: 'sluice fuzz' });
const home = await mkdtemp(join(tmpdir(), 'sluice-fuzz-'));
const excused = new Map<Difference, number>();
const disagreements: Disagreement[] = [];
let compared = 0;
console.log(`${database.name}, seed ${seed}, ${rows} rows of each of ${cases.length} types`);
try {
  const place = { url: database.url, pool, loader: createLoader(home, pool) };
  for (const each of cases) {
    const { type, timeZone } = each;
    const result = await compare(place, each, sample(each, rows, seed));
    compared += result.rows;
    disagreements.push(...result.disagreements);
    let by = 0;
    for (const [rule, count] of result.excused) {
      excused.set(rule, (excused.get(rule) ?? 0) + count);
      by += count;
    }
    const figures = `${result.accepted} stored alike, ${result.refused} refused by both, ${by} by rule`;
    console.log(`${type} (${timeZone}): ${figures}, ${result.disagreements.length} without`);
    for (const each of result.disagreements.slice(0, SHOWN)) console.log(`    ${JSON.stringify(each)}`);
  }
} finally {
  await pool.end();
  await database.close();
  await rm(home, { recursive: true, force: true });
}
const count = (kind: Disagreement['kind']) => disagreements.filter((each) => each.kind === kind).length;
console.log('Differences by rule:');
for (const [rule, times] of excused) console.log(`    ${rule.name}: ${times}`);
console.log(
  `${compared} rows compared, seed ${seed}: ${count('WRONG_ACCEPT')} wrong accepts, ${count('WRONG_REJECT')} wrong rejects, ${count('OTHER_VALUE')} other values`,
);
process.exit(disagreements.length === 0 ? 0 : 1);
