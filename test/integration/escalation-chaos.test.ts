import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runChaos } from '../chaos/escalations/chaos.js';
import { findingLines } from '../chaos/escalations/findings.js';
import { freshDatabase, type TestDatabase } from '../support/database.js';

let database: TestDatabase;
let folder: string;
beforeAll(async () => {
  database = await freshDatabase();
  folder = await mkdtemp(join(tmpdir(), 'sluice-chaos-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const KILLS = 50;
const seed = Date.now() % 2 ** 31;

// What npm run chaos:escalation does a thousand times; how late things are is judged there, where nothing else runs.
it(`nothing is lost or told twice when escalators are killed ${KILLS} times (seed ${seed})`, {
  timeout: 300_000,
}, async () => {
  const result = await runChaos({
    databaseUrl: database.url,
    folder,
    seed,
    kills: KILLS,
    pauseMs: 150,
    open: 25,
    tell: () => undefined,
  });
  expect(findingLines(result.findings), `seed ${seed}`).toEqual([]);
  expect(result.outages).toHaveLength(KILLS);
  // It was about something.
  expect(result.steps.length).toBeGreaterThan(KILLS);
  expect(result.verdicts).toBeGreaterThan(0);
});
