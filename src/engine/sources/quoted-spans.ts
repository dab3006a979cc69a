import type { FileHandle } from 'node:fs/promises';

/** Characters as bytes. */
export interface Quoting {
  readonly quote: number;
  readonly escape: number;
  /** Last byte of the delimiter. */
  readonly delimiter: number;
}

const BLOCK_BYTES = 1024 * 1024;
const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;

/**
 * Bytes of the longest quoted value of a file. A quote opens a value only behind a delimiter or a line end, so that
 * `5" pipe` opens nothing. Takes about a second for 500 MB.
 */
export async function longestQuotedBytes(handle: FileHandle, quoting: Quoting): Promise<number> {
  const { quote, escape: escaping, delimiter } = quoting;
  const buffer = Buffer.allocUnsafe(BLOCK_BYTES);
  let longest = 0;
  let length = -1;
  let previous = LINE_FEED;
  let skip = false;
  for (let position = 0; ; ) {
    const { bytesRead } = await handle.read(buffer, 0, BLOCK_BYTES, position);
    if (bytesRead === 0) return Math.max(longest, length);
    position += bytesRead;
    for (let i = 0; i < bytesRead; i++) {
      const byte = buffer[i] ?? 0;
      if (length < 0) {
        const atStart = previous === delimiter || previous === LINE_FEED || previous === CARRIAGE_RETURN;
        // Behind a quote that has just closed, another one was the second of a doubled quote.
        if (byte === quote && (atStart || skip)) length = 0;
        skip = false;
      } else if (skip) {
        skip = false;
        length += 1;
      } else if (byte === escaping && escaping !== quote) {
        skip = true;
      } else if (byte === quote) {
        longest = Math.max(longest, length);
        length = -1;
        skip = escaping === quote;
      } else {
        length += 1;
      }
      previous = byte;
    }
  }
}
