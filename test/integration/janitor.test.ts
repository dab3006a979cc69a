import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.js';
import { newId } from '../../src/core/ids.js';
import { createLog } from '../../src/core/log.js';
import { createFileResolver } from '../../src/engine/files/file-resolver.js';
import { parsePipeline } from '../../src/engine/parse-pipeline.js';
import { startJanitor } from '../../src/jobs/janitor.js';
import { createStagingArea } from '../../src/jobs/staging-area.js';
import { eventually } from '../support/eventually.js';
import { gate } from '../support/gate.js';
import { partEngine } from '../support/part-engine.js';
import { aRuntime, type Runtime } from '../support/runtime.js';

let runtime: Runtime;
let home: string;
beforeAll(async () => {
  runtime = await aRuntime();
});
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'sluice-janitor-'));
  await Promise.all([mkdir(join(home, 'uploads')), mkdir(join(home, 'scratch'))]);
});
afterEach(async () => {
  await rm(home, { recursive: true });
  await runtime.pool.query('drop table if exists target; delete from sluice.job');
});

const HOUR = 3_600;
const DAY = 24 * HOUR;
const names = async (folder: string) => (await readdir(join(home, folder))).sort();

async function aged(path: string, seconds: number): Promise<void> {
  const then = Date.now() / 1_000 - seconds;
  await utimes(path, then, then);
}
async function anUpload(name: string, ageSeconds: number): Promise<void> {
  await writeFile(join(home, 'uploads', name), 'id\n1\n');
  await aged(join(home, 'uploads', name), ageSeconds);
}

/** Lets several janitors look at once, until the condition holds. */
async function clean(isClean: () => Promise<boolean>, uploadsDays = 30): Promise<void> {
  const uploadsDir = join(home, 'uploads');
  const options = {
    uploadsDir,
    uploadsDays,
    scratchDir: join(home, 'scratch'),
    staging: createStagingArea(runtime.staging),
    sweep: runtime.stores.sweep,
    files: createFileResolver({ dataDirs: [home], uploadsDir }),
    clock: systemClock,
    log: createLog('silent'),
  };
  const janitors = [startJanitor(options), startJanitor(options)];
  await eventually(isClean).finally(() => Promise.all(janitors.map((janitor) => janitor.stop())));
}

const reading = (uri: string) =>
  parsePipeline({ source: { csv: { uri } }, sink: { postgres: { table: 'target' } } }).json;

it('removes what killed processes have left, and nothing that may be written to', async () => {
  await anUpload('.dead.part', 2 * HOUR);
  await anUpload('.alive.part', 60);
  for (const [name, age] of [
    ['sluice-dead', 2 * HOUR],
    ['sluice-alive', 60],
  ] as const) {
    await mkdir(join(home, 'scratch', name));
    await writeFile(join(home, 'scratch', name, 'spill'), 'x');
    await aged(join(home, 'scratch', name), age);
  }
  await clean(async () => (await names('uploads')).length === 1 && (await names('scratch')).length === 1);
  expect(await names('uploads')).toEqual(['.alive.part']);
  expect(await names('scratch')).toEqual(['sluice-alive']);
});

it('keeps an old upload while a job that has not ended reads it, by name or by pattern', async () => {
  for (const name of ['young.csv', 'needed.csv', 'part-1.csv', 'with space.csv', 'old.csv', 'ended.csv'])
    await anUpload(name, name === 'young.csv' ? 29 * DAY : 31 * DAY);
  for (const uri of ['upload:needed.csv', 'upload://part-*.csv', 'upload:with%20space.csv', 'upload:not-there.csv'])
    await runtime.launch({ spec: reading(uri) });
  const ended = await runtime.launch({ spec: reading('upload:ended.csv') });
  await runtime.stores.jobs.requestCancel('default', ended);
  await clean(async () => (await names('uploads')).length === 4);
  expect(await names('uploads')).toEqual(['needed.csv', 'part-1.csv', 'with space.csv', 'young.csv']);
});

it('keeps uploads for ever when it is told so', async () => {
  await anUpload('old.csv', 1_000 * DAY);
  await anUpload('.dead.part', 1_000 * DAY);
  await clean(async () => (await names('uploads')).length === 1, 0);
  expect(await names('uploads')).toEqual(['old.csv']);
});

it('removes what attempts have staged that were given up, never what runs or is to be loaded', async () => {
  const evaluating = gate();
  const { queue, context } = await runtime.worker(
    partEngine({ parts: [[[1, 'a']]], before: (signal) => evaluating.wait(signal) }),
  );
  const running = await runtime.launch();
  const handled = queue.hint(running);
  await evaluating.isReached;
  const [token] = await runtime.column('select lease_token from sluice.job where id = $1', [running]);
  const loading = await runtime.launch();
  const attempt = await context.attempts.claim(loading, newId(), 'test', 60_000);
  if (attempt === null) throw new Error('not claimed');
  await runtime.pool.query(
    `insert into sluice.chunk (job_id, tenant, ordinal, kind, uri, bytes, byte_offset) values ($1, 'default', 0, 'ROWS', $2, 1, 0)`,
    [loading, join(runtime.staging, loading, 'parts')],
  );
  const kept = newId();
  await runtime.pool.query('update sluice.chunk set uri = $2 where job_id = $1', [
    loading,
    join(runtime.staging, loading, kept, 'rows', 'lines'),
  ]);
  const [dead, young] = [newId(), newId()];
  const folders = [
    [running, String(token)],
    [running, dead],
    [running, young],
    [loading, kept],
  ] as const;
  for (const [job, name] of folders) {
    await mkdir(join(runtime.staging, job, name), { recursive: true });
    if (name !== young) await aged(join(runtime.staging, job, name), 2 * HOUR);
  }
  const staged = (job: string) => readdir(join(runtime.staging, job));
  await clean(async () => !(await staged(running)).includes(dead));
  expect((await staged(running)).sort()).toEqual([String(token), young].sort());
  expect(await staged(loading)).toEqual([kept]);
  evaluating.open();
  await handled;
  expect(await runtime.job(running)).toMatchObject({ state: 'SUCCEEDED' });
});
