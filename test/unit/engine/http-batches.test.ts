import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asArray, batchesOf } from '../../../src/engine/sinks/http-batches.js';
import { MARK_BYTES } from '../../../src/engine/sinks/marked-line.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-batches-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const MARK = String.fromCharCode(...MARK_BYTES);

async function cut(text: string, limits: { rows: number; bytes: number }, skipped = '') {
  const uri = join(folder, 'part');
  await writeFile(uri, `${skipped}${text}and what is of the next part\n`);
  const batches: { number: number; rows: number; text: string }[] = [];
  const part = { uri, offset: Buffer.byteLength(skipped), bytes: Buffer.byteLength(text) };
  for await (const { number, rows, lines } of batchesOf(part, limits))
    batches.push({ number, rows, text: lines.toString() });
  return batches;
}

const MANY = { rows: 10_000, bytes: 1e9 };

describe('the batches of a part', () => {
  it('end with the row that reaches the limit, and the last with the part', async () => {
    expect(await cut('{1}\n{2}\n{3}\n{4}\n{5}\n', { ...MANY, rows: 2 }, 'before\n')).toEqual([
      { number: 0, rows: 2, text: '{1}\n{2}\n' },
      { number: 1, rows: 2, text: '{3}\n{4}\n' },
      { number: 2, rows: 1, text: '{5}\n' },
    ]);
    expect(await cut('{1}\n{2}\n', { ...MANY, rows: 2 })).toHaveLength(1);
    expect(await cut('', MANY)).toEqual([]);
  });

  it('end with the row that reaches so many bytes', async () => {
    const found = await cut('{"a":1}\n{"a":2}\n{"a":3}\n', { ...MANY, bytes: 9 });
    expect(found.map(({ rows }) => rows)).toEqual([2, 1]);
    expect((await cut('{"a":1}\n{"a":2}\n', { ...MANY, bytes: 1 })).map(({ rows }) => rows)).toEqual([1, 1]);
  });

  it('hold no marked line', async () => {
    const text = `${MARK}bad\n{1}\n${MARK}\n${MARK}{"raw":2}\n{2}\n{3}\n${MARK}bad\n`;
    expect(await cut(text, { ...MANY, rows: 2 })).toEqual([
      { number: 0, rows: 2, text: '{1}\n{2}\n' },
      { number: 1, rows: 1, text: '{3}\n' },
    ]);
    expect(await cut(`${MARK}\n${MARK}bad\n`, MANY)).toEqual([]);
  });

  it('are whole when rows are longer than what is read at once', async () => {
    const rows = Array.from({ length: 7 }, (_, i) => `{"v":"${String(i).repeat(100_000 + i * 37_001)}"}\n`);
    const found = await cut(rows.join(`${MARK}${'x'.repeat(300_000)}\n`), { ...MANY, rows: 3 });
    expect(found.map((batch) => batch.text)).toEqual([
      rows.slice(0, 3).join(''),
      rows.slice(3, 6).join(''),
      rows.slice(6).join(''),
    ]);
  });

  it('become one array', () => {
    expect(asArray(Buffer.from('{"a":"x\\ny"}\n{"a":2}\n')).toString()).toBe('[{"a":"x\\ny"},{"a":2}]');
  });
});
