import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scanLines } from '../../../src/engine/evaluate/scan-lines.js';
import { MARK_BYTES, MarkedLineFilter } from '../../../src/engine/sinks/marked-line.js';

const never = new AbortController().signal;
const MARK = Buffer.from(MARK_BYTES).toString('latin1');

/** Lines of a part: rows that look like marks on purpose, marks, and marked lines. */
const row = fc.oneof(
  fc.string({ maxLength: 12 }).map((text) => text.replace(/[\n\\]/g, '')),
  fc.constantFrom('\u0001', '\u0001\\\\!', 'a\u0001\\!', '\u0001!', '', '\\N', '!'),
);
const line = fc.oneof(
  { weight: 3, arbitrary: row.map((text) => ({ kind: 'ROW' as const, text })) },
  { weight: 1, arbitrary: fc.constant({ kind: 'FILTERED' as const, text: MARK }) },
  {
    weight: 1,
    arbitrary: fc.nat().map((n) => ({ kind: 'BAD' as const, text: `${MARK}{"n":${n},"ü":"\u0001"}` })),
  },
);
const lines = fc.array(line, { maxLength: 60 });
const bytesOf = (some: readonly { readonly text: string }[]) =>
  Buffer.from(some.map(({ text }) => `${text}\n`).join(''));

describe('the filter of marked lines', () => {
  it('keeps exactly the rows, however the bytes are cut into blocks', () => {
    fc.assert(
      fc.property(lines, fc.integer({ min: 3, max: 40 }), (some, size) => {
        const bytes = bytesOf(some);
        const filter = new MarkedLineFilter();
        const kept: Buffer[] = [];
        for (let position = 0; position < bytes.length; ) {
          const block = Buffer.from(bytes.subarray(position, position + size));
          const { rows, consumed } = filter.filter(block, position + block.length >= bytes.length);
          kept.push(block.subarray(0, rows));
          position += consumed;
        }
        expect(Buffer.concat(kept).toString()).toBe(bytesOf(some.filter(({ kind }) => kind === 'ROW')).toString());
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('the scan of lines', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-lines-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('counts, numbers the bad rows, and cuts pieces that hold every row once', async () => {
    const file = join(folder, 'lines');
    await fc.assert(
      fc.asyncProperty(
        lines,
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 90 }),
        async (some, rows, max) => {
          const bytes = bytesOf(some);
          await writeFile(file, bytes);
          const bad: [number, string][] = [];
          const scanned = await scanLines(file, { rows, bytes: max }, never, (number, json) => {
            bad.push([number, json.toString()]);
          });
          const of = (kind: string) => some.filter((one) => one.kind === kind);
          expect(scanned).toMatchObject({ lines: some.length, filtered: of('FILTERED').length, bad: of('BAD').length });
          expect(bad).toEqual(
            some.flatMap(({ kind, text }, i) => (kind === 'BAD' ? [[i + 1, text.slice(MARK.length)]] : [])),
          );
          const pieces = scanned.ranges.map((range) => bytes.subarray(range.offset, range.offset + range.bytes));
          const inPieces = pieces.map((piece) => {
            const text = piece.toString();
            expect(text.endsWith('\n')).toBe(true);
            return text.slice(0, -1).split('\n');
          });
          expect(inPieces.flat().filter((text) => !text.startsWith(MARK))).toEqual(of('ROW').map(({ text }) => text));
          expect(scanned.ranges.map((range) => range.rows)).toEqual(
            inPieces.map((piece) => piece.filter((text) => !text.startsWith(MARK)).length),
          );
          for (const range of scanned.ranges) expect(range.rows).toBeLessThanOrEqual(rows);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('ends when it is told to', async () => {
    const file = join(folder, 'stopped');
    await writeFile(file, 'row\n');
    const stopped = AbortSignal.abort(new Error('stopped'));
    await expect(scanLines(file, { rows: 1, bytes: 1 }, stopped, () => undefined)).rejects.toThrow('stopped');
  });

  it('takes lines that are longer than its buffer', async () => {
    const file = join(folder, 'long');
    const long = 'x'.repeat(5_000_000);
    const told = `{"raw":"${'y'.repeat(7_000_000)}"}`;
    await writeFile(file, `${long}\n${MARK}${told}\n${long}\n`);
    const bad: string[] = [];
    const scanned = await scanLines(file, { rows: 1, bytes: 1 << 30 }, never, (_, json) => {
      bad.push(json.toString());
    });
    expect(scanned.ranges).toEqual([
      { offset: 0, bytes: long.length + 1, rows: 1 },
      { offset: long.length + 1, bytes: MARK.length + told.length + 1 + long.length + 1, rows: 1 },
    ]);
    expect(bad).toEqual([told]);
  });
});
