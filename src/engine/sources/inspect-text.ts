import { isUtf8 } from 'node:buffer';
import { type FileHandle, open } from 'node:fs/promises';
import { SluiceError } from '../../core/errors.js';
import type { ResolvedFile } from '../pipeline.js';
import { longestQuotedBytes, type Quoting } from './quoted-spans.js';

const MB = 1024 * 1024;
/** DuckDB's own bound on a line; a longer one goes to quarantine. */
export const MAX_LINE_BYTES = 2_000_000;
/** The reader's buffer; half of DuckDB's default takes 80 MB less and is no slower. DuckDB skips a line that does not fit into it without a trace, so that such files are refused. */
export const READ_BUFFER_BYTES = 16 * MB;
const UNREADABLE_BYTES = 15 * MB;

const BLOCK_BYTES = 2 * MB;
/** So long without a quote, a quote that was opened before may have swallowed every line. */
const SUSPICIOUS_BYTES = 4 * MB;
const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;

export interface InspectedText {
  readonly isUtf8: boolean;
  /** Of the bytes looked for, those that the file does not hold. */
  readonly missing: ReadonlySet<number>;
}

/**
 * Reads a text file once, at the speed of memory, for what the reader would get wrong: lines and quoted values that
 * are too long for it, and bytes that are no UTF-8.
 * @param quoting null when the format has no quotes
 * @param lookFor bytes to look for on the way
 * @throws SluiceError FILE_UNREADABLE for a line or a quoted value of more than 15 MB
 */
export async function inspectText(
  file: ResolvedFile,
  quoting: Quoting | null,
  lookFor: readonly number[] = [],
): Promise<InspectedText> {
  const handle = await open(file.path);
  try {
    const found = await scan(handle, quoting, lookFor);
    if (found.longestLine > UNREADABLE_BYTES) throw tooLong(file, 'line', 'check its line ends');
    if (quoting !== null && found.longestUnquoted > SUSPICIOUS_BYTES) {
      const longest = await longestQuotedBytes(handle, quoting);
      if (longest > UNREADABLE_BYTES) throw tooLong(file, 'quoted value', 'a quote is probably not closed');
    }
    return { isUtf8: found.isUtf8, missing: found.missing };
  } finally {
    await handle.close();
  }
}

interface Found {
  isUtf8: boolean;
  /** Upper bound of the bytes without a line end. */
  longestLine: number;
  /** Bytes without a quote behind the first quote, by whole blocks. */
  longestUnquoted: number;
  readonly missing: Set<number>;
}

async function scan(handle: FileHandle, quoting: Quoting | null, lookFor: readonly number[]): Promise<Found> {
  const buffer = Buffer.allocUnsafe(BLOCK_BYTES);
  const missing = new Set(lookFor);
  const found: Found = { isUtf8: true, longestLine: 0, longestUnquoted: 0, missing };
  let carried = 0;
  let line = 0;
  let unquoted = 0;
  let sawQuote = false;
  for (let position = 0; ; ) {
    const { bytesRead } = await handle.read(buffer, carried, BLOCK_BYTES - carried, position);
    if (bytesRead === 0) break;
    position += bytesRead;
    const block = buffer.subarray(0, carried + bytesRead);
    const fresh = block.subarray(carried);
    const first = firstLineEnd(fresh);
    found.longestLine = Math.max(found.longestLine, line + (first === -1 ? fresh.length : first));
    line = first === -1 ? line + fresh.length : fresh.length - 1 - lastLineEnd(fresh);
    for (const byte of missing) if (fresh.includes(byte)) missing.delete(byte);
    if (quoting !== null) {
      const hasQuote = fresh.includes(quoting.quote);
      unquoted = hasQuote || !sawQuote ? 0 : unquoted + fresh.length;
      sawQuote ||= hasQuote;
      found.longestUnquoted = Math.max(found.longestUnquoted, unquoted);
    }
    const cut = block.length - cutOffBytes(block);
    found.isUtf8 &&= isUtf8(block.subarray(0, cut));
    carried = block.copy(buffer, 0, cut);
  }
  found.isUtf8 &&= carried === 0;
  return found;
}

// The reader takes a carriage return for a line end where the file has no line feeds.
function firstLineEnd(block: Buffer): number {
  const feed = block.indexOf(LINE_FEED);
  return feed === -1 ? block.indexOf(CARRIAGE_RETURN) : feed;
}

function lastLineEnd(block: Buffer): number {
  return Math.max(block.lastIndexOf(LINE_FEED), block.lastIndexOf(CARRIAGE_RETURN));
}

/** Bytes of a character at the end that goes on in the next block: at most three. */
function cutOffBytes(block: Buffer): number {
  for (let back = 1; back <= 3 && back <= block.length; back++) {
    const byte = block[block.length - back] ?? 0;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    if (length > 1) return length > back ? back : 0;
    if (byte < 0x80) return 0;
  }
  return 0;
}

const tooLong = (file: ResolvedFile, what: string, hint: string): SluiceError =>
  new SluiceError('FILE_UNREADABLE', `${file.uri} has a ${what} of more than ${UNREADABLE_BYTES / MB} MB; ${hint}.`);
