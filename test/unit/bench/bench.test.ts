import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readArguments } from '../../bench/arguments.js';
import { figureJson, figureTable, verdict } from '../../bench/figures.js';
import { ordersFile } from '../../bench/orders-file.js';
import { median, percentile } from '../../bench/statistics.js';

const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

async function madeFile(rows: number, bad: boolean) {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-orders-'));
  folders.push(folder);
  const file = await ordersFile(folder, rows, bad);
  return { file, text: await readFile(file.path, 'utf8') };
}

describe('the orders of the benchmark', () => {
  it('are the same on every machine, with one bad row in a thousand', async () => {
    const first = await madeFile(3_000, true);
    const second = await madeFile(3_000, true);
    expect(first.text).toBe(second.text);
    expect(first.file).toMatchObject({ rows: 3_000, badRows: 3, bytes: first.text.length });
    const quantities = first.text
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => line.split(',')[4]);
    expect(quantities.filter((text) => !(Number(text) >= 1 && Number(text) <= 100))).toHaveLength(3);
  });

  it('have a twin without the bad rows, otherwise equal', async () => {
    const dirty = await madeFile(2_000, true);
    const clean = await madeFile(2_000, false);
    const good = dirty.text.split('\n').filter((_, line) => line % 1_000 !== 0 || line === 0);
    expect(clean.text).toBe(good.join('\n'));
    expect(clean.file).toMatchObject({ rows: 1_998, badRows: 0 });
  });
});

describe('figures', () => {
  it('are judged by their objective, and unknown when they could not be measured', () => {
    const figure = { name: 'ratio', unit: '%', objective: { min: 70 } };
    expect(verdict({ ...figure, value: 70 })).toBe('ok');
    expect(verdict({ ...figure, value: 69.9 })).toBe('missed');
    expect(verdict({ ...figure, value: Number.NaN })).toBe('unknown');
    expect(verdict({ name: 'rate', unit: 'rows/s', value: 1 })).toBe('');
    expect(verdict({ name: 'lag', unit: 'ms', value: 51, objective: { max: 50 } })).toBe('missed');
  });

  it('are a table for people and a line for machines', () => {
    const figures = [{ name: 'ratio', value: 71.234, unit: '%', objective: { min: 70 } }];
    expect(figureTable(figures).at(-1)).toMatch(/^ratio +71.23 % +>= 70 % +ok$/);
    expect(JSON.parse(figureJson(figures, { rounds: 5 }))).toEqual({
      rounds: 5,
      figures: [{ name: 'ratio', value: 71.234, unit: '%', objective: { min: 70 }, verdict: 'ok' }],
    });
  });

  it('take medians and nearest-rank percentiles', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(percentile([5, 1, 4, 2, 3], 0.5)).toBe(3);
    expect(percentile([5, 1, 4, 2, 3], 0.99)).toBe(5);
    expect(percentile([], 0.5)).toBeNaN();
  });

  it('are measured as the command line says', () => {
    expect(readArguments(['--rows', '200_000', '--rounds', '3'])).toMatchObject({
      rows: 200_000,
      rounds: 3,
      large: false,
    });
    expect(() => readArguments(['--rounds', '0'])).toThrow('--rounds must be a whole number from 1.');
  });
});
