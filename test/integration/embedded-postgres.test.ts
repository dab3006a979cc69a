import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { systemClock } from '../../src/core/clock.js';
import { createLog } from '../../src/core/log.js';
import { isProcessAlive } from '../../src/store/embedded/process-probe.js';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/store/embedded-postgres.js';
import { eventually } from '../support/eventually.js';

const log = createLog('silent');
let pristine: string;
let home: string;
let running: EmbeddedPostgres[] = [];
let children: ChildProcess[] = [];

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice home with spaces '));
  // As root the server runs as another user, who has to pass.
  await chmod(folder, 0o755);
  return folder;
}

// A home that was used and stopped, to copy: initdb takes longer than everything else here.
beforeAll(async () => {
  pristine = await newFolder();
  await (await startEmbeddedPostgres({ home: pristine, log })).stop();
});

afterAll(() => rm(pristine, { recursive: true, force: true }));

beforeEach(async () => {
  home = await newFolder();
});

/** Gives the test a home that has been used before. */
const useHome = () => promisify(execFile)('cp', ['-a', `${pristine}/.`, home]);

afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  for (const server of running) await server.stop();
  running = [];
  children = [];
  await rm(home, { recursive: true, force: true });
});

async function start(): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ home, log });
  running.push(server);
  return server;
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

const said = z
  .object({ url: z.string(), pid: z.number(), signalListeners: z.number() })
  .or(z.object({ error: z.string() }));

/** Another Sluice process on the same home. */
async function startOther() {
  const script = new URL('../support/run-embedded.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, ['--import', 'tsx', script, home], { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  const [line] = await once(createInterface(child.stdout), 'line');
  return { child, answer: said.parse(JSON.parse(String(line))) };
}

async function startOtherReady() {
  const { child, answer } = await startOther();
  if ('error' in answer) throw new Error(answer.error);
  return { child, ...answer };
}

async function kill9(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

test('data, password and port stay between starts; stopping takes less than 5 s', async () => {
  await useHome();
  const first = await start();
  await query(first.url, 'create table kept as select 1 as n');
  const begin = systemClock.monotonicMs();
  await first.stop();
  expect(systemClock.monotonicMs() - begin).toBeLessThan(5_000);
  expect(isProcessAlive(first.pid)).toBe(false);
  const second = await start();
  expect(second.url).toBe(first.url);
  expect(await query(second.url, 'select n from kept')).toEqual([{ n: 1 }]);
});

test('another port is taken when that of last time is in use', async () => {
  await useHome();
  const first = await start();
  await first.stop();
  const squatter = createServer().listen(Number(new URL(first.url).port), '127.0.0.1');
  await once(squatter, 'listening');
  const second = await start();
  expect(new URL(second.url).port).not.toBe(new URL(first.url).port);
  squatter.close();
});

describe('what is promised of the server', () => {
  test('durable, UTF-8, only on 127.0.0.1, only with the password, which only we can read', async () => {
    await useHome();
    const { url } = await start();
    const settings = await query(
      url,
      `select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit,
        current_setting('full_page_writes') as pages, current_setting('server_encoding') as encoding,
        current_setting('listen_addresses') as listen, current_setting('unix_socket_directories') as sockets,
        lower('ÄÉ') as lower, current_setting('max_connections') as connections`,
    );
    expect(settings).toEqual([
      {
        fsync: 'on',
        commit: 'on',
        pages: 'on',
        encoding: 'UTF8',
        listen: '127.0.0.1',
        sockets: '',
        lower: 'äé',
        connections: '100',
      },
    ]);
    const wrong = new URL(url);
    wrong.password = 'wrong';
    await expect(query(wrong.href, 'select 1')).rejects.toThrow('password authentication failed');
    expect((await stat(join(home, 'postgres', 'password'))).mode & 0o777).toBe(0o600);
  });

  test('no listener on signals is added, so that a process drains and exits as it likes', async () => {
    await useHome();
    const other = await startOtherReady();
    expect(other.signalListeners).toBe(0);
    const exit = once(other.child, 'exit');
    other.child.kill('SIGTERM');
    expect(await exit).toEqual([7, null]);
    await eventually(() => !isProcessAlive(other.pid));
  });
});

describe('one process a home', () => {
  test('a second one is told who has it, and what to do', async () => {
    await useHome();
    await start();
    const { answer } = await startOther();
    expect(answer).toEqual({
      error: `SLUICE_HOME ${home} is in use by the Sluice process ${process.pid}: stop that one, give this one another SLUICE_HOME, or set DATABASE_URL so that both share one PostgreSQL.`,
    });
  });

  test('of several that start at once, one gets it and the others are told', async () => {
    const results = await Promise.allSettled([start(), start(), start()]);
    expect(results.filter((r) => r.status === 'fulfilled')).toHaveLength(1);
    for (const r of results) if (r.status === 'rejected') expect(r.reason).toMatchObject({ code: 'HOME_LOCKED' });
  });

  test('the lock of a process whose number now belongs to another one is stale', async () => {
    await useHome();
    await writeFile(join(home, 'embedded-postgres.lock'), `${process.ppid}\nanother start\nan id`);
    await start();
  });
});

describe('after kill -9', () => {
  test('of the server alone: it is started again under the same URL, and nothing committed is lost', async () => {
    await useHome();
    const { url, pid } = await start();
    await query(url, 'create table kept as select 1 as n');
    process.kill(pid, 'SIGKILL');
    await eventually(() => !isProcessAlive(pid));
    const read = () => query(url, 'select n from kept').catch(() => undefined);
    await eventually(async () => (await read()) !== undefined);
    expect(await read()).toEqual([{ n: 1 }]);
  });

  test('of the server, and stopped while it starts again: nothing is left running', async () => {
    await useHome();
    const server = await start();
    process.kill(server.pid, 'SIGKILL');
    await eventually(() => !isProcessAlive(server.pid));
    await server.stop();
    expect(isProcessAlive(server.pid)).toBe(false);
    await expect(query(server.url, 'select 1')).rejects.toThrow();
  });

  test('of the process: the server that lives on is stopped, and nothing committed is lost', async () => {
    await useHome();
    const other = await startOtherReady();
    await query(other.url, 'create table kept as select 2 as n');
    await kill9(other.child);
    expect(isProcessAlive(other.pid)).toBe(true);
    const server = await start();
    expect(server.pid).not.toBe(other.pid);
    expect(isProcessAlive(other.pid)).toBe(false);
    expect(await query(server.url, 'select n from kept')).toEqual([{ n: 2 }]);
  });

  test('of process and server: the stale pid file is no obstacle', async () => {
    await useHome();
    const other = await startOtherReady();
    await query(other.url, 'create table kept as select 3 as n');
    await kill9(other.child);
    process.kill(other.pid, 'SIGKILL');
    const server = await start();
    expect(await query(server.url, 'select n from kept')).toEqual([{ n: 3 }]);
  });

  test('of both, with the number of the server given to another process since', async () => {
    await useHome();
    const first = await start();
    const pidFile = await readFile(join(home, 'postgres', 'data', 'postmaster.pid'), 'utf8');
    await first.stop();
    const stranger = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'ignore'] });
    children.push(stranger);
    await writeFile(
      join(home, 'postgres', 'data', 'postmaster.pid'),
      pidFile.replace(String(first.pid), String(stranger.pid)),
    );
    const server = await start();
    expect(await query(server.url, 'select 1 as n')).toEqual([{ n: 1 }]);
    expect(stranger.exitCode).toBe(null);
  });

  test('during initdb: the next start begins anew and cleans up', async () => {
    const script = new URL('../support/run-embedded.ts', import.meta.url).pathname;
    const child = spawn(process.execPath, ['--import', 'tsx', script, home], { stdio: ['pipe', 'ignore', 'inherit'] });
    children.push(child);
    const drafts = async () =>
      (await readdir(join(home, 'postgres')).catch(() => [])).filter((n) => n.startsWith('initdb-'));
    await eventually(async () => (await drafts()).length > 0);
    await kill9(child);
    const server = await start();
    expect(await query(server.url, 'select 1 as n')).toEqual([{ n: 1 }]);
    await server.stop();
    await (await start()).stop();
    expect(await drafts()).toEqual([]);
  });
});

describe('a data folder that is not as expected', () => {
  test('of another major version is refused and left alone', async () => {
    await useHome();
    await writeFile(join(home, 'postgres', 'data', 'PG_VERSION'), '15\n');
    await expect(start()).rejects.toMatchObject({
      code: 'DATABASE_TOO_OLD',
      message: expect.stringContaining('PostgreSQL 15'),
    });
    await writeFile(join(home, 'postgres', 'data', 'PG_VERSION'), '99\n');
    await expect(start()).rejects.toMatchObject({ code: 'DATABASE_TOO_NEW' });
  });

  test('without its password is refused with what to do', async () => {
    await useHome();
    await rm(join(home, 'postgres', 'password'));
    await expect(start()).rejects.toMatchObject({
      code: 'DATABASE_UNREACHABLE',
      message: expect.stringContaining('restore that file'),
    });
  });

  test('with something else in it is moved aside, not deleted', async () => {
    await mkdir(join(home, 'postgres', 'data'), { recursive: true });
    await writeFile(join(home, 'postgres', 'data', 'precious'), 'mine');
    await start();
    const [aside] = (await readdir(join(home, 'postgres'))).filter((name) => name.startsWith('data-unusable-'));
    expect(await readFile(join(home, 'postgres', aside ?? '', 'precious'), 'utf8')).toBe('mine');
  });

  test('a home that is a file is refused with a sentence', async () => {
    await rm(home, { recursive: true });
    await writeFile(home, '');
    await expect(start()).rejects.toMatchObject({
      code: 'DATABASE_UNREACHABLE',
      message: expect.stringContaining(home),
    });
  });
});
