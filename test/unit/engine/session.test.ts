import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.js';
import { Session } from '../../../src/engine/session.js';
import { WarmInstances } from '../../../src/engine/warm-instances.js';
import { eventually } from '../../support/eventually.js';

let home: string;
let session: Session;
const limits = { memoryMb: 100, threads: 1, tempMb: 50 };
const instances = new WarmInstances(limits);

const open = (signal = new AbortController().signal, from = instances) =>
  Session.open(
    { limits, instances: from, clock: systemClock },
    { files: [join(home, 'allowed.csv')], directories: [join(home, 'work')] },
    join(home, 'work', 'spill'),
    signal,
  );

beforeAll(async () => {
  home = await realpath(await mkdtemp(join(tmpdir(), 'sluice-session-')));
  await mkdir(join(home, 'work'));
  await writeFile(join(home, 'allowed.csv'), 'a\n1\n');
  await writeFile(join(home, 'secret.csv'), 'a\n1\n');
  await symlink(join(home, 'secret.csv'), join(home, 'link.csv'));
  session = await open();
});
afterAll(async () => {
  session.close();
  await rm(home, { recursive: true, force: true });
});

// The guard of user SQL is the first wall; this is what stands behind it.
describe('a session', () => {
  it('reads its own files and writes to its own folder', async () => {
    expect(await session.query(`SELECT * FROM read_csv('${home}/allowed.csv')`)).toEqual([{ a: 1n }]);
    await session.run(`COPY (SELECT 1 AS x) TO '${home}/work/out.csv'`);
  });

  it.each([
    ['another file', (dir: string) => `SELECT * FROM read_csv('${dir}/secret.csv')`],
    ['another file as text', () => `SELECT * FROM read_text('/etc/passwd')`],
    ['another file as a table', (dir: string) => `SELECT * FROM '${dir}/secret.csv'`],
    ['a file beside its folder', (dir: string) => `SELECT * FROM read_text('${dir}/work/../secret.csv')`],
    ['a file behind a link', (dir: string) => `SELECT * FROM read_text('${dir}/link.csv')`],
    ['the names of files', () => `SELECT * FROM glob('/etc/*')`],
    ['a URL', () => `SELECT * FROM read_csv('https://example.com/x.csv')`],
    ['a bucket', () => `SELECT * FROM read_parquet('s3://bucket/x.parquet')`],
    ['COPY to elsewhere', (dir: string) => `COPY (SELECT 1) TO '${dir}/out.csv'`],
    ['COPY over an input', (dir: string) => `COPY (SELECT 1) TO '${dir}/secret.csv'`],
    ['EXPORT', (dir: string) => `EXPORT DATABASE '${dir}/export'`],
    ['ATTACH', (dir: string) => `ATTACH '${dir}/other.db'`],
    ['INSTALL', () => 'INSTALL httpfs'],
    ['LOAD', () => 'LOAD httpfs'],
    ['SET', () => 'SET threads = 8'],
    ['SET of access', () => 'SET enable_external_access = true'],
    ['RESET', () => 'RESET memory_limit'],
    ['PRAGMA', () => "PRAGMA memory_limit = '10GB'"],
    ['unlocking', () => 'SET lock_configuration = false'],
    ['more folders', () => "SET allowed_directories = ['/']"],
    ['secrets', () => "CREATE PERSISTENT SECRET s (TYPE s3, KEY_ID 'x', SECRET 'y')"],
  ])('refuses %s', async (_, sql) => {
    await expect(session.run(sql(home))).rejects.toThrow();
  });

  it('stops at its memory and disk limits, and lives on', async () => {
    await expect(
      session.query(
        'SELECT count(DISTINCT x) FROM (SELECT hash(a.range, b.range) AS x FROM range(100000) a, range(1000) b)',
      ),
    ).rejects.toThrow(/memory|temp_directory|offload/i);
    expect(await session.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('rejects with the reason of the signal when it is told to stop', async () => {
    const controller = new AbortController();
    const stopped = await open(controller.signal);
    const pending = stopped.query('SELECT max(hash(a.range, b.range)) FROM range(1000000) a, range(1000000) b');
    controller.abort(new Error('told to stop'));
    await expect(pending).rejects.toThrow('told to stop');
    await expect(stopped.query('SELECT 1')).rejects.toThrow('told to stop');
    stopped.close();
  });

  it.each([0, 1, 2, 5])(
    'ends a query that it is told to stop as it begins, %i turns of the loop later',
    async (turns) => {
      const own = new WarmInstances(limits);
      for (let round = 0; round < 5; round++) {
        const stop = new AbortController();
        const stopped = await open(stop.signal, own);
        // It takes hours, and hears of an interruption at any time but just before it has begun.
        const endless = stopped.query(
          'SELECT sum((a.x * b.x * c.x) % 7) FROM range(5000) a(x), range(5000) b(x), range(5000) c(x)',
        );
        const refused = expect(endless).rejects.toThrow('on purpose');
        for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
        stop.abort(new Error('on purpose'));
        await refused;
        stopped.close();
      }
      await eventually(() => own.inUse === 0);
    },
  );

  it('leaves nothing behind when it is told to stop while it opens', async () => {
    const own = new WarmInstances(limits);
    for (let turns = 0; turns < 20; turns++) {
      const stop = new AbortController();
      const opening = open(stop.signal, own).then((opened) => opened.close());
      for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
      stop.abort(new Error('on purpose'));
      await opening.catch(() => undefined);
    }
    await eventually(() => own.inUse === 0);
  });
});
