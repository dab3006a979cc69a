import { open } from 'node:fs/promises';
import { SluiceError } from '../../core/errors.js';
import type { ResolvedFile } from '../pipeline.js';

export interface CsvDialect {
  readonly delimiter: string;
  readonly quote: string;
  readonly escape: string;
  readonly encoding: 'UTF8' | 'LATIN1';
  /** Whether the first record names the columns; else it is data, whose wrong bytes set that row aside and no file. */
  readonly header: boolean;
}

/** A first record beyond this is no header but a file without line ends, or with an open quote. */
const MAX_RECORD_BYTES = 4 * 1024 * 1024;

const MARKS: readonly (readonly [bytes: string, problem: string])[] = [
  ['\xff\xfe', 'is UTF-16; save it as UTF-8'],
  ['\xfe\xff', 'is UTF-16; save it as UTF-8'],
  ['\x1f\x8b', 'is gzip; set `compression: GZIP`'],
  ['PK\x03\x04', 'is a ZIP archive or a spreadsheet; unpack it, or save it as CSV'],
  ['PAR1', 'is Parquet; use the `parquet` source'],
];
const BYTE_ORDER_MARK = '\xef\xbb\xbf';

export interface FirstRecord {
  /** Quotes and line breaks inside them resolved. */
  readonly fields: readonly string[];
  /** What stands behind it; nothing when the file ends there. */
  readonly lineEnd: '\n' | '\r' | '\r\n' | '';
}

/**
 * The first record of a file. DuckDB counts columns only by sniffing, and its sniffer gives up on files with odd records
 * further down; and it takes the first line break for the line end of the file, be it inside of quotes.
 * @throws SluiceError FILE_UNREADABLE
 */
export async function firstRecord(file: ResolvedFile, dialect: CsvDialect): Promise<FirstRecord> {
  const text = await firstBytes(file);
  const mark = MARKS.find(([bytes]) => text.startsWith(bytes));
  if (mark !== undefined) throw unreadable(file, mark[1]);
  const start = dialect.encoding === 'UTF8' && text.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;
  if (/^[\r\n]*$/.test(text.slice(start))) throw unreadable(file, 'is empty');
  if (/^[\r\n]/.test(text.slice(start))) throw unreadable(file, 'begins with an empty line; remove it');
  const { fields, lineEnd } = splitRecord(text.slice(start), dialect);
  if (lineEnd === '' && text.length < file.bytes) {
    throw unreadable(file, `has a first record of more than ${MAX_RECORD_BYTES / 1024 / 1024} MB`);
  }
  return { fields: fields.map((field) => decode(field, file, dialect)), lineEnd };
}

/** One character a byte: the dialect's characters are ASCII or compared by their bytes. */
async function firstBytes(file: ResolvedFile): Promise<string> {
  const handle = await open(file.path);
  try {
    const buffer = Buffer.allocUnsafe(Math.min(file.bytes, MAX_RECORD_BYTES));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
    return buffer.toString('latin1', 0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** Fields up to the first line end outside of quotes, as RFC 4180 has it; a quote opens only at a field's start. */
function splitRecord(text: string, dialect: CsvDialect): FirstRecord {
  const delimiter = bytesOf(dialect.delimiter, dialect);
  const { quote } = dialect;
  const escaping = quote === '' ? '' : dialect.escape;
  const fields: string[] = [];
  let field = '';
  let quoted = false;
  let atStart = true;
  for (let i = 0; i < text.length; i++) {
    const c = text.charAt(i);
    const next = text.charAt(i + 1);
    if (quoted) {
      if (c === escaping && (next === quote || next === escaping)) {
        field += next;
        i++;
      } else if (c === quote) quoted = false;
      else field += c;
    } else if (c === quote && atStart) {
      quoted = true;
      atStart = false;
    } else if (c === '\n' || c === '\r') {
      return { fields: [...fields, field], lineEnd: c === '\r' && next === '\n' ? '\r\n' : c };
    } else if (text.startsWith(delimiter, i)) {
      fields.push(field);
      field = '';
      atStart = true;
      i += delimiter.length - 1;
    } else {
      field += c;
      atStart = false;
    }
  }
  return { fields: [...fields, field], lineEnd: '' };
}

const bytesOf = (text: string, { encoding }: CsvDialect): string =>
  encoding === 'LATIN1' ? text : Buffer.from(text).toString('latin1');

function decode(field: string, file: ResolvedFile, { encoding, header }: CsvDialect): string {
  if (encoding === 'LATIN1') return field;
  try {
    return new TextDecoder('utf-8', { fatal: header, ignoreBOM: true }).decode(Buffer.from(field, 'latin1'));
  } catch (error) {
    throw unreadable(file, 'is not UTF-8. If it is Latin-1, set `encoding: LATIN1`', error);
  }
}

const unreadable = (file: ResolvedFile, problem: string, cause?: unknown): SluiceError =>
  new SluiceError('FILE_UNREADABLE', `${file.uri} ${problem}.`, { cause });
