import { beforeAll, describe, expect, it } from 'vitest';
import { sampleLines } from '../../../../../src/engine/sinks/recheck/sample-lines.js';
import { type SinkHome, sinkHome } from '../../../../support/load-parts.js';

let home: SinkHome;
beforeAll(async () => {
  home = await sinkHome();
});

const lines = (count: number, width = 60) => Array.from({ length: count }, (_, i) => `${i}\t${'x'.repeat(i % width)}`);
const textOf = (all: readonly string[]) => all.map((line) => `${line}\n`).join('');

describe('the sample of a part', () => {
  it('is every line of a small one, in order', async () => {
    const all = lines(20);
    expect(await sampleLines(await home.part(0, textOf(all)), 32)).toEqual(all);
  });

  it('is lines from all over a large one, with the first and the last', async () => {
    const all = lines(50_000);
    const sample = await sampleLines(await home.part(0, textOf(all), 'ROWS', all.length), 32);
    expect(sample.length).toBeGreaterThanOrEqual(32);
    expect(sample.length).toBeLessThan(48);
    expect(sample.at(0)).toBe(all.at(0));
    expect(sample.at(-1)).toBe(all.at(-1));
    const numbers = sample.map((line) => Number.parseInt(line, 10));
    expect(numbers.every((n, i) => all[n] === sample[i])).toBe(true);
    expect(new Set(numbers.map((n) => Math.floor(n / 10_000)))).toEqual(new Set([0, 1, 2, 3, 4]));
  });

  it('holds no marked line, and nothing of the parts beside it in the file', async () => {
    const good = lines(3_000);
    const marked = good.flatMap((line, i) => (i % 3 === 0 ? [`\u0001\\!{"bad":${i}}`, line] : [line]));
    const part = await home.part(0, `before\n${textOf(marked)}after\n`);
    const inner = { ...part, offset: 'before\n'.length, bytes: textOf(marked).length };
    const sample = await sampleLines(inner, 64);
    expect(sample.length).toBeGreaterThan(40);
    expect(sample.filter((line) => !good.includes(line))).toEqual([]);
  });

  it('takes wide lines, and leaves those out that are wider than a place', async () => {
    const wide = lines(40, 1).map((line) => line + 'y'.repeat(20_000));
    expect((await sampleLines(await home.part(0, textOf(wide), 'ROWS', 40), 32)).length).toBeGreaterThan(8);
    const widest = ['a', 'b'.repeat(200_000), 'c'];
    expect(await sampleLines(await home.part(0, textOf(widest), 'ROWS', 3), 32)).toEqual(['a', 'c']);
  });
});
