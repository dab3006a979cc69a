import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.js';
import { createEngine } from '../../src/engine/create-engine.js';
import { createFileResolver } from '../../src/engine/files/file-resolver.js';
import { parsePipeline } from '../../src/engine/parse-pipeline.js';
import { createStagingArea } from '../../src/jobs/staging-area.js';
import { partEngine } from '../support/part-engine.js';
import { aPipeline, aRuntime, type Runtime } from '../support/runtime.js';
import { smallDisk } from '../support/small-disk.js';

let runtime: Runtime;
beforeAll(async () => {
  runtime = await aRuntime();
});
afterEach(() => runtime.pool.query('drop table if exists target; delete from sluice.job'));

const engine = partEngine({ parts: [[[1, 'a']]] });
const due = async () => {
  await runtime.pool.query(`update sluice.job set due_at = statement_timestamp() where state = 'RETRYING'`);
  await runtime.stores.sweep.due(10);
};

it('begins no evaluation while other parts fill the staging area, and goes on when there is room', async () => {
  const staging = createStagingArea(runtime.staging);
  const { queue } = await runtime.worker(engine, { stagingMaxBytes: 1_000 });
  const other = await staging.create('0192aaaa-0000-7000-8000-000000000001', '0192aaaa-0000-7000-8000-000000000002');
  await writeFile(join(other, 'part'), 'x'.repeat(1_000));
  const id = await runtime.launch();
  await queue.hint(id);
  expect(await runtime.job(id)).toMatchObject({
    state: 'RETRYING',
    error: {
      code: 'STAGING_FULL',
      failureClass: 'TRANSIENT',
      message: expect.stringContaining('SLUICE_STAGING_MAX_MB'),
    },
  });
  await staging.remove('0192aaaa-0000-7000-8000-000000000001');
  await due();
  await queue.hint(id);
  expect(await runtime.job(id)).toMatchObject({ state: 'SUCCEEDED', error: null });
});

it('an evaluation that fills the disk leaves nothing there, is tried again, and others go on', async () => {
  const disk = await smallDisk();
  const data = await mkdtemp(join(tmpdir(), 'sluice-disk-data-'));
  try {
    const lines = Array.from({ length: 400_000 }, (_, i) => `${i},the name of row ${i}`);
    await writeFile(join(data, 'rows.csv'), `id,name\n${lines.join('\n')}\n`);
    const files = createFileResolver({ dataDirs: [data], uploadsDir: data });
    const real = createEngine({ files, limits: { memoryMb: 128, threads: 1, tempMb: 1_000 }, clock: systemClock });
    const worker = { staging: createStagingArea(disk.folder), files };
    const { queue } = await runtime.worker(disk.engineOn(real), worker);
    const spec = parsePipeline({
      source: { csv: { uri: 'file:rows.csv' } },
      sink: { postgres: { table: 'target', mode: 'APPEND', createTable: true } },
    }).json;
    const big = await runtime.launch({ spec });
    await queue.hint(big);
    const job = await runtime.job(big);
    expect(job).toMatchObject({ state: 'RETRYING', error: { code: 'DISK_FULL', failureClass: 'TRANSIENT' } });
    expect(job.error?.message).toMatch(/^A disk is full: free space where SLUICE_HOME/);
    expect(await readdir(join(disk.folder, big)).catch(() => [])).toEqual([]);

    const other = await runtime.worker(engine, worker);
    const small = await runtime.launch({ spec: aPipeline({ table: 'other', mode: 'APPEND', createTable: true }).json });
    await other.queue.hint(small);
    expect(await runtime.job(small)).toMatchObject({ state: 'SUCCEEDED' });

    await disk.makeRoom();
    await due();
    await queue.hint(big);
    expect(await runtime.job(big)).toMatchObject({ state: 'SUCCEEDED', attempt: 2, progress: { rowsLoaded: 400_000 } });
  } finally {
    await disk.remove();
    await rm(data, { recursive: true });
    await runtime.pool.query('drop table if exists other');
  }
});

it('a disk that stays full is asked about as a critical failure', async () => {
  // Writing there fails as on a full disk; where it does not exist, the error is made up.
  const fill = async () => {
    if (existsSync('/dev/full')) await writeFile('/dev/full', 'x');
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  };
  const { queue } = await runtime.worker(partEngine({ parts: [], before: fill }));
  const id = await runtime.launch({ maxAttempts: 2 });
  await queue.hint(id);
  expect(await runtime.job(id)).toMatchObject({ state: 'RETRYING', error: { code: 'DISK_FULL' } });
  await due();
  await queue.hint(id);
  expect(await runtime.job(id)).toMatchObject({
    state: 'AWAITING_DECISION',
    error: { code: 'RETRIES_EXHAUSTED', failureClass: 'CRITICAL_FAILURE', details: { lastCode: 'DISK_FULL' } },
  });
  expect(await readdir(join(runtime.staging, id)).catch(() => [])).toEqual([]);
});

it('a full disk of the database is waited for, and what is loaded stays', async () => {
  await runtime.pool.query(`create table target (id bigint, name text);
    create function full_disk() returns trigger language plpgsql as
      $$ begin raise exception 'could not extend file: No space left on device' using errcode = '53100'; end $$;
    create trigger full_disk before insert on target for each statement execute function full_disk()`);
  const { queue } = await runtime.worker(engine);
  const id = await runtime.launch();
  await queue.hint(id);
  const job = await runtime.job(id);
  expect(job).toMatchObject({ state: 'RETRYING', error: { code: 'DISK_FULL', details: { sqlState: '53100' } } });
  expect(job.error?.message).toMatch(/^The disk of the database is full: free space there/);
  await runtime.pool.query('drop trigger full_disk on target; drop function full_disk');
  await due();
  await queue.hint(id);
  expect(await runtime.job(id)).toMatchObject({ state: 'SUCCEEDED', progress: { rowsLoaded: 1 } });
});
