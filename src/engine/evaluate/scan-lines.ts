import { type FileHandle, open } from 'node:fs/promises';
import { MARK_BYTES } from '../sinks/marked-line.js';

/** A piece of the file of lines that is loaded at once. */
export interface LineRange {
  readonly offset: number;
  readonly bytes: number;
  /** Good rows inside. */
  readonly rows: number;
}

export interface ScannedLines {
  readonly lines: number;
  readonly filtered: number;
  readonly bad: number;
  readonly ranges: readonly LineRange[];
}

const BLOCK_BYTES = 2 * 1024 * 1024;
const LINE_FEED = 10;
const FIRST_MARK_BYTE = MARK_BYTES[0];

/**
 * Reads the file of lines once, at the speed of memory: cuts it into pieces, counts, and hands every bad row out.
 * @param limits a piece ends with the line that reaches one of them
 * @param signal looked at between blocks
 * @param onBad told the JSON of a bad row and the number of its line, in order
 */
export async function scanLines(
  path: string,
  limits: { readonly rows: number; readonly bytes: number },
  signal: AbortSignal,
  onBad: (line: number, json: Buffer) => void | Promise<void>,
): Promise<ScannedLines> {
  const file = await open(path);
  try {
    return await scan(file, limits, signal, onBad);
  } finally {
    await file.close();
  }
}

async function scan(
  file: FileHandle,
  limits: { readonly rows: number; readonly bytes: number },
  signal: AbortSignal,
  onBad: (line: number, json: Buffer) => void | Promise<void>,
): Promise<ScannedLines> {
  const ranges: LineRange[] = [];
  let [lines, filtered, bad] = [0, 0, 0];
  /** Of the piece in the making. */
  let [offset, rows] = [0, 0];
  let buffer = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  /** Bytes of a line that goes on, at the beginning of the buffer, and where in the file the buffer begins. */
  let [carried, position] = [0, 0];
  for (;;) {
    signal.throwIfAborted();
    const { bytesRead } = await file.read(buffer, carried, buffer.length - carried, position + carried);
    if (bytesRead === 0) break;
    const filled = buffer.subarray(0, carried + bytesRead);
    let start = 0;
    for (let end = filled.indexOf(LINE_FEED, carried); end !== -1; end = filled.indexOf(LINE_FEED, start)) {
      lines += 1;
      if (filled[start] !== FIRST_MARK_BYTE || !startsWithMark(filled, start)) rows += 1;
      else if (end - start === MARK_BYTES.length) filtered += 1;
      else {
        bad += 1;
        const writing = onBad(lines, filled.subarray(start + MARK_BYTES.length, end));
        // Mostly there is nothing to wait for, and a turn for each of a million rows adds up.
        if (writing !== undefined) await writing;
      }
      start = end + 1;
      const bytes = position + start - offset;
      if (rows < limits.rows && bytes < limits.bytes) continue;
      if (rows > 0) ranges.push({ offset, bytes, rows });
      [offset, rows] = [offset + bytes, 0];
    }
    carried = filled.length - start;
    position += start;
    // A line longer than the buffer needs a larger one.
    const next = carried > buffer.length / 2 ? Buffer.allocUnsafeSlow(buffer.length * 2) : buffer;
    filled.copy(next, 0, start);
    buffer = next;
  }
  if (rows > 0) ranges.push({ offset, bytes: position - offset, rows });
  return { lines, filtered, bad, ranges };
}

const startsWithMark = (buffer: Buffer, at: number): boolean => MARK_BYTES.every((byte, i) => buffer[at + i] === byte);
