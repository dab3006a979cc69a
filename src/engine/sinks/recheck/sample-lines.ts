import { type FileHandle, open } from 'node:fs/promises';
import type { PartRange } from '../copy-part.js';
import { MARK_BYTES } from '../marked-line.js';
import type { Part } from '../sink.js';

/** So many places of a part are looked at, and of the blocks that it was written into: a read each. */
export const PLACES = 8;
const MIN_PLACE_BYTES = 4 * 1024;
/** A line that is longer than this is in no sample. */
const MAX_PLACE_BYTES = 64 * 1024;
/** Lines of the average length that a place should hold. */
const LINES_A_PLACE = 8;

const MARK = String.fromCharCode(...MARK_BYTES);

/**
 * Lines of a part from places spread evenly over it, in order, its first and its last line among them. Marked lines are
 * no rows and not in the sample.
 * @param count about how many; a part that has fewer gives all of them
 */
export async function sampleLines(part: Part, count: number): Promise<readonly string[]> {
  const wanted = (LINES_A_PLACE * part.bytes) / Math.max(1, part.expectedRows ?? 1);
  const length = Math.ceil(Math.min(part.bytes, MAX_PLACE_BYTES, Math.max(MIN_PLACE_BYTES, wanted)));
  const places = Math.max(1, Math.min(PLACES, Math.ceil(part.bytes / Math.max(1, length))));
  const file = await open(part.uri, 'r');
  try {
    const found = await Promise.all(
      Array.from({ length: places }, (_, place) => {
        const offset = places === 1 ? 0 : Math.floor((place * (part.bytes - length)) / (places - 1));
        return linesAt(file, part, offset, length, Math.ceil(count * shareOf(place, places)));
      }),
    );
    // Places of a small part overlap.
    return [...new Map(found.flat()).values()];
  } finally {
    await file.close();
  }
}

/** How much of the sample is of a place: most of the first and of the last, for where those lines went is known best. */
function shareOf(place: number, places: number): number {
  if (places <= 4) return 1 / places;
  return place === 0 || place === places - 1 ? 1 / 4 : 1 / 2 / (places - 2);
}

/** Up to `count` of the whole lines in a stretch of the part, spread evenly, each with its place in the file. */
async function linesAt(
  file: FileHandle,
  part: PartRange,
  offset: number,
  length: number,
  count: number,
): Promise<readonly (readonly [number, string])[]> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, part.offset + offset);
  const block = buffer.subarray(0, bytesRead);
  const lines: (readonly [number, string])[] = [];
  // Within the part a stretch may begin in the middle of a line.
  let start = offset === 0 ? 0 : block.indexOf('\n') + 1;
  for (let end = block.indexOf('\n', start); end !== -1; end = block.indexOf('\n', start)) {
    const line = block.toString('utf8', start, end);
    if (!line.startsWith(MARK)) lines.push([offset + start, line]);
    start = end + 1;
  }
  if (lines.length <= count) return lines;
  if (count === 1) return lines.slice(0, 1);
  return Array.from({ length: count }, (_, i) => Math.round((i * (lines.length - 1)) / (count - 1))).flatMap((at) =>
    lines.slice(at, at + 1),
  );
}
