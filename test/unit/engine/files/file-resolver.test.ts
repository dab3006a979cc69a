import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFileResolver } from '../../../../src/engine/files/file-resolver.js';
import type { FileResolver } from '../../../../src/engine/pipeline.js';

let home: string;
let files: FileResolver;

const ODD_NAMES = [
  'my orders.csv',
  'ünïcödé-注文.csv',
  `it's "quoted".csv`,
  'a#b.csv',
  'why?.csv',
  'data[1].csv',
  '{x}.csv',
  '100%.csv',
  '%41.csv',
  'back\\slash.csv',
  '!(bang).csv',
  '..dots.csv',
];

beforeAll(async () => {
  home = await realpath(await mkdtemp(join(tmpdir(), 'sluice-files-')));
  for (const dir of ['data/sub/deep', 'more', 'uploads', 'outside']) await mkdir(join(home, dir), { recursive: true });
  const write = (path: string) => writeFile(join(home, path), path);
  for (const name of ODD_NAMES) await write(`data/${name}`);
  await write('data/orders.csv');
  await write('data/.hidden.csv');
  await write('data/sub/b.csv');
  await write('data/sub/a.csv');
  await write('data/sub/deep/c.csv');
  await write('more/orders.csv');
  await write('more/only-here.csv');
  await write('uploads/up.csv');
  await write('outside/secret.csv');
  await mkdir(join(home, 'data/links'));
  await symlink(join(home, 'outside/secret.csv'), join(home, 'data/links/out.csv'));
  await symlink(join(home, 'outside'), join(home, 'data/way-out'));
  await symlink('../orders.csv', join(home, 'data/links/in.csv'));
  await symlink('loop.csv', join(home, 'data/loop.csv'));
  await symlink('nowhere', join(home, 'data/dangling'));
  execFileSync('mkfifo', [join(home, 'data/pipe.csv')]);
  files = createFileResolver({
    dataDirs: [join(home, 'data'), join(home, 'more'), join(home, 'not-there')],
    uploadsDir: join(home, 'uploads'),
  });
});
afterAll(() => rm(home, { recursive: true, force: true }));

const paths = async (uri: string) => (await files.resolve(uri)).map((file) => file.path.slice(home.length + 1));
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    (value) => value,
    (error: { code: string }) => error.code,
  );

describe('reading', () => {
  it('looks a relative path up in each data directory, in order', async () => {
    expect(await paths('file:orders.csv')).toEqual(['data/orders.csv']);
    expect(await paths('file:only-here.csv')).toEqual(['more/only-here.csv']);
    expect(await paths('file:./sub/../sub/a.csv').catch((e: { code: string }) => e.code)).toBe('FILE_NOT_ALLOWED');
    expect(await paths('file:./sub/a.csv')).toEqual(['data/sub/a.csv']);
  });

  it('tells size, time and the URI of each file', async () => {
    const [file] = await files.resolve('file:orders.csv');
    expect(file).toMatchObject({ uri: 'file:orders.csv', bytes: 'data/orders.csv'.length });
    expect(file?.modifiedMs).toBeGreaterThan(0);
  });

  it.each(ODD_NAMES)('reads %s as written and percent-encoded', async (name) => {
    expect(await paths(`file:${name}`)).toEqual([`data/${name}`]);
    expect(await paths(`file:${encodeURIComponent(name)}`)).toEqual([`data/${name}`]);
  });

  it('finds the files of a pattern, sorted by name, without hidden ones', async () => {
    expect(await paths('file:sub/*.csv')).toEqual(['data/sub/a.csv', 'data/sub/b.csv']);
    expect(await paths('file:sub/**/*.csv')).toEqual(['data/sub/a.csv', 'data/sub/b.csv', 'data/sub/deep/c.csv']);
    expect(await paths('file:s?b/[ab].csv')).toEqual(['data/sub/a.csv', 'data/sub/b.csv']);
    expect(await paths('file:{x*')).toEqual(['data/{x}.csv']);
    expect((await files.resolve('file:sub/*.csv')).map((file) => file.uri)).toEqual([
      'file:sub/a.csv',
      'file:sub/b.csv',
    ]);
    expect(await paths('file:*')).not.toContain('data/.hidden.csv');
  });

  it('falls back to the next data directory when a pattern matches nothing', async () => {
    expect(await paths('file:only-*.csv')).toEqual(['more/only-here.csv']);
  });

  it('reads a file once when a pattern finds it under two names', async () => {
    await symlink('b.csv', join(home, 'data/sub/b2.csv'));
    expect(await paths('file:sub/*.csv')).toEqual(['data/sub/a.csv', 'data/sub/b.csv']);
    await rm(join(home, 'data/sub/b2.csv'));
  });

  it('takes absolute paths inside a data directory only', async () => {
    expect(await paths(`file://${home}/data/orders.csv`)).toEqual(['data/orders.csv']);
    expect(await paths(`file:${home}/data/sub/*.csv`)).toEqual(['data/sub/a.csv', 'data/sub/b.csv']);
    expect(await codeOf(files.resolve(`file://${home}/outside/secret.csv`))).toBe('FILE_NOT_ALLOWED');
    expect(await codeOf(files.resolve('file:///etc/passwd'))).toBe('FILE_NOT_ALLOWED');
    expect(await codeOf(files.resolve('file:///etc/pass*'))).toBe('FILE_NOT_ALLOWED');
    expect(await codeOf(files.resolve('file://host/orders.csv'))).toBe('INVALID_INPUT');
  });

  it('reads uploads from their own directory', async () => {
    expect(await paths('upload:up.csv')).toEqual(['uploads/up.csv']);
    expect(await paths('upload://up.csv')).toEqual(['uploads/up.csv']);
    expect(await codeOf(files.resolve('upload:orders.csv'))).toBe('FILE_NOT_FOUND');
    expect(await codeOf(files.resolve('upload:../data/orders.csv'))).toBe('FILE_NOT_ALLOWED');
  });

  it.each([
    ['file:../outside/secret.csv'],
    ['file:sub/../../outside/secret.csv'],
    ['file:%2e%2e/outside/secret.csv'],
    ['file:..%2Foutside/secret.csv'],
    ['file:..\\outside\\secret.csv'],
    ['file:or\0ders.csv'],
    ['file:orders%00.csv'],
    ['file:links/out.csv'],
    ['file:links/*.csv'],
    ['file:way-out/secret.csv'],
    ['file:way-out/*.csv'],
    ['file:loop.csv'],
    ['file:pipe.csv'],
    ['file:sub'],
  ])('refuses %j', async (uri) => {
    expect(await codeOf(files.resolve(uri))).toBe('FILE_NOT_ALLOWED');
  });

  it('follows a link that stays inside', async () => {
    expect(await paths('file:links/in.csv')).toEqual(['data/orders.csv']);
  });

  it('names the URI and the data directories when nothing is there, but no path of the machine', async () => {
    const error = await files.resolve('file:nope.csv').catch((e: Error) => e);
    expect(error).toMatchObject({ code: 'FILE_NOT_FOUND' });
    expect(String(error)).toContain('file:nope.csv');
    expect(String(error)).toContain('data, more');
    expect(String(error)).not.toContain(home);
    for (const uri of ['file:nope*.csv', 'file:orders.csv/x', `file:${'x'.repeat(300)}`]) {
      expect(await codeOf(files.resolve(uri))).toBe('FILE_NOT_FOUND');
    }
  });

  it('refuses other schemes by naming those that there are, and patterns that are too costly', async () => {
    await expect(files.resolve('ftp:orders.csv')).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringMatching(/file:.*upload:/),
    });
    for (const uri of ['orders.csv', '', 'file:', 'file:///', 'file:*a*a*a*b', `file:${'a'.repeat(2000)}`]) {
      expect(await codeOf(files.resolve(uri))).toBe('INVALID_INPUT');
    }
  });
});

describe('writing', () => {
  it('answers the place of a new file or of one to replace, without making folders', async () => {
    expect(await files.resolveTarget('file:out.csv')).toBe(join(home, 'data/out.csv'));
    expect(await files.resolveTarget('file:new/folder/my%20out.csv')).toBe(join(home, 'data/new/folder/my out.csv'));
    expect(await files.resolveTarget('file:orders.csv')).toBe(join(home, 'data/orders.csv'));
    expect(await files.resolveTarget(`file://${home}/more/out.csv`)).toBe(join(home, 'more/out.csv'));
  });

  it.each([
    ['file:../out.csv'],
    ['file:way-out/out.csv'],
    ['file:way-out/new/out.csv'],
    ['file:dangling/out.csv'],
    ['file:links/out.csv'],
    ['file:links/in.csv'],
    ['file:pipe.csv'],
    ['file:sub'],
    ['file:orders.csv/out.csv'],
    ['file:///etc/out.csv'],
  ])('refuses %j', async (uri) => {
    expect(await codeOf(files.resolveTarget(uri))).toBe('FILE_NOT_ALLOWED');
  });

  it('refuses what is no name of a file', async () => {
    for (const uri of ['upload:x.csv', 'file:sub/', `file:${'x'.repeat(300)}`]) {
      expect(await codeOf(files.resolveTarget(uri))).toBe('INVALID_INPUT');
    }
  });
});
