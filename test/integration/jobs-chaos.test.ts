import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runChaos } from '../chaos/jobs/chaos.js';
import { findingLines } from '../chaos/jobs/judge.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-chaos-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const POINTS = 24;
const seed = Date.now() % 2 ** 31;
// A run on one engine is enough; npm run chaos does both, a thousand times.
const engine = seed % 2 === 0 ? 'redis' : 'postgres';

it(`nothing is lost or done twice when ${POINTS} things break (seed ${seed}, queue on ${engine})`, {
  timeout: 300_000,
}, async () => {
  const { findings, struck, jobs } = await runChaos({
    folder,
    engine,
    seed,
    points: POINTS,
    recoveries: 0,
    cancels: 0,
    scenarios: false,
    flood: 0,
    tell: () => undefined,
  });
  expect(
    findingLines(findings),
    `npm run chaos -- --seed ${seed} --points ${POINTS} --queue ${engine} --no-scenarios --flood 0`,
  ).toEqual([]);
  expect([...struck.values()].reduce((sum, times) => sum + times, 0)).toBeGreaterThanOrEqual(POINTS);
  // It was about something.
  expect(jobs).toBeGreaterThan(POINTS / 2);
});
