import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { folderBytes } from '../../../src/core/folder-bytes.js';
import { createDiskFigures } from '../../../src/jobs/disk-figures.js';
import { ManualClock } from '../../support/manual-clock.js';

it('counts the bytes of a folder and below, not behind links, and of none nothing', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-bytes-'));
  await mkdir(join(folder, 'a', 'b'), { recursive: true });
  await writeFile(join(folder, 'one'), 'x'.repeat(10));
  await writeFile(join(folder, 'a', 'b', 'two'), 'x'.repeat(5));
  await symlink('/', join(folder, 'a', 'everything'));
  expect(await folderBytes(folder)).toBe(15);
  expect(await folderBytes(join(folder, 'not-there'))).toBe(0);
  await rm(folder, { recursive: true });
});

it('does not wait for a slow disk, looks once at a time, and tells what it last saw', async () => {
  const clock = new ManualClock();
  const looks: ((bytes: number) => void)[] = [];
  const staging = { bytes: () => new Promise<number>((resolve) => looks.push(resolve)) };
  const figures = createDiskFigures(staging, '/not-there', clock);
  const first = figures();
  const second = figures();
  await clock.pass(1_000);
  expect(await first).toBeUndefined();
  expect(await second).toBeUndefined();
  expect(looks).toHaveLength(1);
  const third = figures();
  looks[0]?.(7);
  expect(await third).toEqual({ stagingBytes: 7, uploadsBytes: 0 });
});
