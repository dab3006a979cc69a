import { chmod, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { UserErrors } from '../../src/core/errors.js';
import { SINKS } from '../../src/engine/registry.js';
import { csvSink } from '../../src/engine/sinks/csv.js';
import type { Pool } from '../../src/store/pool.js';
import { emptyDatabase } from '../support/database.js';
import { bindSink, columnsOf, loadJob, type SinkHome, sinkHome } from '../support/load-parts.js';

let pool: Pool;
let home: SinkHome;
const output = columnsOf('id INTEGER');

beforeAll(async () => {
  ({ pool } = await emptyDatabase());
  home = await sinkHome();
});

const job = (uri: string) => loadJob(pool, home, bindSink(csvSink, { uri }), output);
const finished = (text: string) => home.part(0, text, 'FILE', 1);
const at = (path: string) => join(home.home, path);

describe('a file sink', () => {
  it('keeps the old file until the new one is whole', async () => {
    await writeFile(at('old.csv'), 'old');
    const load = job('file:old.csv');
    await load.prepare();
    await load.load(await finished('new'));
    expect(await readFile(at('old.csv'), 'utf8')).toBe('old');
    await load.publish();
    expect(await readFile(at('old.csv'), 'utf8')).toBe('new');
  });

  it('leaves the part as it was when the published file is written to', async () => {
    const load = job('file:linked.csv');
    await load.prepare();
    const part = await finished('content');
    await load.load(part);
    await load.publish();
    expect(await readFile(part.uri, 'utf8')).toBe('content');
    await rm(part.uri);
    expect(await readFile(at('linked.csv'), 'utf8')).toBe('content');
  });

  it('fails instead of taking an older file for its own', async () => {
    await writeFile(at('older.csv'), 'older');
    const load = job('file:older.csv');
    await load.prepare();
    await load.load(await finished('new'));
    await load.discard();
    await expect(load.publish()).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(await readFile(at('older.csv'), 'utf8')).toBe('older');
  });

  it('leaves one whole file when jobs write it at once', async () => {
    const loads = ['a', 'b', 'c'].map(async (letter) => {
      const load = job('file:raced/out.csv');
      await load.prepare();
      await load.load(await finished(letter.repeat(100_000)));
      await load.publish();
    });
    await Promise.all(loads);
    expect(await readdir(at('raced'))).toEqual(['out.csv']);
    expect(await readFile(at('raced/out.csv'), 'utf8')).toMatch(/^(a{100000}|b{100000}|c{100000})$/);
  });

  it('does not follow a folder that became a link while the job ran', async () => {
    await mkdir(at('swapped'));
    await mkdir(at('elsewhere'));
    const load = job('file:swapped/out.csv');
    await load.prepare();
    await rename(at('swapped'), at('swapped-away'));
    await symlink(at('elsewhere'), at('swapped'));
    await expect(load.load(await finished('x'))).rejects.toMatchObject({ code: 'FILE_NOT_ALLOWED' });
    await expect(load.publish()).rejects.toMatchObject({ code: 'FILE_NOT_ALLOWED' });
    expect(await readdir(at('elsewhere'))).toEqual([]);
    await load.discard();
  });

  it('replaces a link that took the place of the target, and not what it points to', async () => {
    const load = job('file:planted.csv');
    await load.prepare();
    await load.load(await finished('mine'));
    await writeFile(at('victim'), 'untouched');
    await symlink(at('victim'), at('planted.csv'));
    await load.publish();
    expect(await readFile(at('victim'), 'utf8')).toBe('untouched');
    expect(await readFile(at('planted.csv'), 'utf8')).toBe('mine');
  });

  it('takes the longest name that the file system takes', async () => {
    const load = job(`file:${'n'.repeat(251)}.csv`);
    await load.prepare();
    await load.load(await finished('x'));
    await load.publish();
    expect(await readFile(at(`${'n'.repeat(251)}.csv`), 'utf8')).toBe('x');
  });

  it('leaves nothing when it is discarded, and takes no folder that was there or holds something', async () => {
    await mkdir(at('was-there'));
    for (const uri of ['file:made/for/it/out.csv', 'file:was-there/out.csv', 'file:shared/deep/out.csv']) {
      const load = job(uri);
      await load.prepare();
      await load.load(await finished('x'));
      if (uri.includes('shared')) await writeFile(at('shared/of-another'), 'x');
      await load.discard();
      await load.discard();
    }
    expect(await readdir(home.home)).not.toContain('made');
    expect(await readdir(at('was-there'))).toEqual([]);
    expect(await readdir(at('shared'))).toEqual(['of-another']);
  });

  it('takes the copies of killed workers away when it publishes', async () => {
    const load = job('file:killed/out.csv');
    await load.prepare();
    await load.load(await finished('x'));
    await writeFile(at(`killed/.sluice-${load.id}.0192aaaa`), 'half');
    await writeFile(at('killed/.sluice-of-another.tmp'), 'x');
    await load.publish();
    expect((await readdir(at('killed'))).sort()).toEqual(['.sluice-of-another.tmp', 'out.csv']);
  });

  it('publishes nothing once it is told to stop', async () => {
    const load = job('file:stopped/out.csv');
    await load.prepare();
    await load.load(await finished('x'));
    await expect(load.publish(AbortSignal.abort(new Error('cancelled')))).rejects.toThrow('cancelled');
    await load.discard();
    expect(await readdir(home.home)).not.toContain('stopped');
  });

  it('leaves nothing behind when a part cannot be put aside', async () => {
    await mkdir(at('broken'));
    const load = job('file:broken/out.csv');
    await load.prepare();
    const part = await finished('x');
    await rm(part.uri);
    await expect(load.load(part)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await readdir(at('broken'))).toEqual([]);
    await chmod(at('broken'), 0o755);
  });

  it('names the option at fault when the place is not allowed', async () => {
    for (const uri of ['file:../out.csv', 'file:/etc/out.csv']) {
      await expect(job(uri).inspect()).rejects.toMatchObject({ code: 'FILE_NOT_ALLOWED', path: ['uri'] });
    }
    await expect(job('upload:out.csv').inspect()).rejects.toMatchObject({ code: 'INVALID_INPUT', path: ['uri'] });
  });
});

describe('options', () => {
  it.each([
    ['csv', { uri: 'file:out' }, 'uri'],
    ['csv', { uri: 'file:out.parquet' }, 'uri'],
    ['csv', { uri: 'file:out.csv', compression: 'GZIP' }, 'uri'],
    ['csv', { uri: 'file:out.csv.gz', compression: 'NONE' }, 'uri'],
    ['csv', { uri: 'file:out.csv.gz', compression: 'ZSTD' }, 'uri'],
    ['csv', { uri: 'file:out.csv', compression: 'LZ4' }, 'compression'],
    ['csv', { uri: 'file:out.csv', delimiter: '||' }, 'delimiter'],
    ['csv', { uri: 'file:out.csv', delimiter: '"' }, 'delimiter'],
    ['csv', { uri: 'file:out.csv', delimiter: '\n' }, 'delimiter'],
    ['csv', { uri: 'file:out.csv', quote: '' }, 'quote'],
    ['csv', { uri: 'file:out.csv', nullString: 'a,b' }, 'nullString'],
    ['csv', { uri: 'file:out.csv', nullString: 'a\nb' }, 'nullString'],
    ['ndjson', { uri: 'file:out.json' }, 'uri'],
    ['parquet', { uri: 'file:out.parquet.gz' }, 'uri'],
    ['parquet', { uri: 'file:out.parquet', compression: 'AUTO' }, 'compression'],
    ['parquet', { uri: '' }, 'uri'],
  ])('of %s: %j are refused with their path', (name, options, member) => {
    const sink = SINKS.find((each) => each.name === name);
    let thrown: unknown;
    try {
      sink?.parse(options, ['sink', name]);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(UserErrors);
    expect(thrown).toMatchObject({ errors: [{ code: 'INVALID_INPUT', path: ['sink', name, member] }] });
  });
});
