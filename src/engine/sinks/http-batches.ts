import { fillBlock, openPart, type PartRange } from './copy-part.js';
import { MarkedLineFilter } from './marked-line.js';

/** Consecutive rows of a part, one JSON object a line. */
export interface Batch {
  /** From 0 in its part; the same rows have the same number whenever the part is read. */
  readonly number: number;
  readonly rows: number;
  /** Each line with its line feed. */
  readonly lines: Buffer;
}

const BLOCK_BYTES = 256 * 1024;
const LINE_FEED = 10;

/**
 * Reads a part batch by batch, and no further than is asked for. Where a batch ends depends on the bytes of the part and
 * on the limits alone.
 * @param limits a batch ends with the row that reaches one of them
 * @throws SluiceError INTERNAL when the part file is gone
 */
export async function* batchesOf(
  part: PartRange,
  limits: { readonly rows: number; readonly bytes: number },
): AsyncGenerator<Batch, void, undefined> {
  const file = await openPart(part);
  try {
    const block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
    const marked = new MarkedLineFilter();
    const end = part.offset + part.bytes;
    let [number, rows, bytes] = [0, 0, 0];
    let pieces: Buffer[] = [];
    const cut = (): Batch => {
      const batch = { number, rows, lines: Buffer.concat(pieces, bytes) };
      [number, rows, bytes, pieces] = [number + 1, 0, 0, []];
      return batch;
    };
    for (let position = part.offset; position < end; ) {
      const length = await fillBlock(file, block.subarray(0, Math.min(BLOCK_BYTES, end - position)), position);
      // Shorter than it was: the rows that are missing are found by their number.
      if (length === 0) break;
      const filtered = marked.filter(block.subarray(0, length), position + length >= end);
      position += filtered.consumed;
      const text = Buffer.from(block.subarray(0, filtered.rows));
      let start = 0;
      for (let at = text.indexOf(LINE_FEED); at !== -1; at = text.indexOf(LINE_FEED, at + 1)) {
        rows += 1;
        if (rows < limits.rows && bytes + at + 1 - start < limits.bytes) continue;
        pieces.push(text.subarray(start, at + 1));
        bytes += at + 1 - start;
        start = at + 1;
        yield cut();
      }
      if (start === text.length) continue;
      pieces.push(text.subarray(start));
      bytes += text.length - start;
    }
    if (rows > 0) yield cut();
  } finally {
    await file.close();
  }
}

/** The lines as one JSON array. A line feed can only be the end of a row: inside of JSON's text it is escaped. */
export function asArray(lines: Buffer): Buffer {
  const array = Buffer.concat([Buffer.from('['), lines]);
  for (let at = array.indexOf(LINE_FEED); at !== -1; at = array.indexOf(LINE_FEED, at + 1)) array[at] = 0x2c;
  array[array.length - 1] = 0x5d;
  return array;
}
