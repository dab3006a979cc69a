import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sample } from './accounting.js';
import { SAMPLES } from './accounting.js';
import { MAX_PART_BYTES } from './parts.js';
import type { BadRow } from './quarantine-part.js';
import { copyText, textOf } from './text-format.js';

const TAB = 9;
const LINE_FEED = 10;
const COMMA = 44;
const BUFFER_BYTES = 1024 * 1024;
const NUMBER_BYTES = 20;

/** A record that the reader could not make a row of. */
interface Rejected {
  readonly line: number;
  /** Accepted rows that stand before it. */
  readonly before: number;
  /** Its reasons and its raw text, as in the quarantine. */
  readonly rest: Buffer;
}

/**
 * Writes the bad rows of one file to the quarantine's parts as they are found, with the rejected records between them:
 * each under the number of its record. They are counted on the way, and the first ones kept.
 */
export class QuarantineLines {
  /** Rows that expectations have set aside. */
  reached = 0;
  written = 0;
  readonly failed = new Map<number, number>();
  readonly samples = new Map<number, Sample[]>();
  readonly first: BadRow[] = [];
  private readonly buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  private filled = 0;
  private part: { readonly file: FileHandle; bytes: number } | null = null;
  private parts = 0;
  private readonly between: Buffer;
  private next: Rejected | null = null;
  private rejects = 0;

  private constructor(
    private readonly directory: string,
    uri: string,
    private readonly rejected: AsyncGenerator<Rejected> | null,
  ) {
    this.between = Buffer.from(`\t${copyText(uri)}\t`);
  }

  /**
   * @param stagingDir where the folder of the parts is made
   * @param uri of the only file
   * @param rejectsPath what `writeRejects` has written; null when nothing was rejected
   */
  static async create(stagingDir: string, uri: string, rejectsPath: string | null): Promise<QuarantineLines> {
    const directory = join(stagingDir, 'quarantine');
    await mkdir(directory);
    const lines = new QuarantineLines(directory, uri, rejectsPath === null ? null : readRejected(rejectsPath));
    await lines.advance();
    return lines;
  }

  /**
   * @param line number of the accepted row
   * @param record positions of expectations with commas, a tab, and the rest of the line in the quarantine
   */
  add(line: number, record: Buffer): void | Promise<void> {
    if (this.next !== null && this.next.before < line) return this.addBehind(line, record);
    return this.keep(line, record);
  }

  /** Writes the rejected records that are left, and closes the last part. */
  async close(): Promise<void> {
    try {
      await this.addRejected(Number.POSITIVE_INFINITY);
      await this.flush();
    } finally {
      await this.rejected?.return(undefined);
      await this.part?.file.close();
    }
  }

  private async addBehind(line: number, record: Buffer): Promise<void> {
    await this.addRejected(line);
    await this.keep(line, record);
  }

  private async addRejected(beforeLine: number): Promise<void> {
    while (this.next !== null && this.next.before < beforeLine) {
      await this.write(this.next.line, this.next.rest);
      this.rejects += 1;
      await this.advance();
    }
  }

  private async advance(): Promise<void> {
    const { value, done } = (await this.rejected?.next()) ?? { value: undefined, done: true };
    this.next = done ? null : (value ?? null);
  }

  private keep(line: number, record: Buffer): void | Promise<void> {
    const tab = record.indexOf(TAB);
    const rest = record.subarray(tab + 1);
    const number = line + this.rejects;
    if (tab > 0) this.count(record.subarray(0, tab), number, rest);
    return this.write(number, rest);
  }

  private count(positions: Buffer, rowNumber: number, rest: Buffer): void {
    this.reached += 1;
    let position = 0;
    const one = () => {
      this.failed.set(position, (this.failed.get(position) ?? 0) + 1);
      const samples = this.samples.get(position) ?? [];
      if (samples.length < SAMPLES) this.samples.set(position, [...samples, { rowNumber, raw: partsOf(rest).raw }]);
      position = 0;
    };
    for (const byte of positions) {
      if (byte === COMMA) one();
      else position = 10 * position + (byte - 48);
    }
    one();
  }

  private write(number: number, rest: Buffer): void | Promise<void> {
    this.written += 1;
    if (this.first.length < SAMPLES) {
      const { reasons, raw } = partsOf(rest);
      this.first.push({ rowNumber: number, raw, reasons });
    }
    const most = NUMBER_BYTES + this.between.length + rest.length + 1;
    if (this.filled + most > this.buffer.length) return this.flush().then(() => this.put(number, rest, most));
    return this.put(number, rest, most);
  }

  private put(number: number, rest: Buffer, most: number): void | Promise<void> {
    // A record that no buffer holds goes to the file as it is.
    if (most > this.buffer.length) {
      return this.append(Buffer.concat([Buffer.from(String(number)), this.between, rest, Buffer.from([LINE_FEED])]));
    }
    const { buffer } = this;
    let at = this.filled;
    at += buffer.write(String(number), at, 'latin1');
    at += this.between.copy(buffer, at);
    at += rest.copy(buffer, at);
    buffer[at] = LINE_FEED;
    this.filled = at + 1;
  }

  private async flush(): Promise<void> {
    const bytes = this.buffer.subarray(0, this.filled);
    this.filled = 0;
    if (bytes.length > 0) await this.append(bytes);
  }

  /** @param lines whole ones */
  private async append(lines: Buffer): Promise<void> {
    if (this.part !== null && this.part.bytes + lines.length > MAX_PART_BYTES) {
      await this.part.file.close();
      this.part = null;
    }
    if (this.part === null) {
      const name = String(this.parts).padStart(6, '0');
      this.part = { file: await open(join(this.directory, name), 'wx'), bytes: 0 };
      this.parts += 1;
    }
    for (let from = 0; from < lines.length; ) {
      const { bytesWritten } = await this.part.file.write(lines, from, lines.length - from);
      from += bytesWritten;
    }
    this.part.bytes += lines.length;
  }
}

function partsOf(rest: Buffer): Pick<BadRow, 'reasons' | 'raw'> {
  const [reasons = '[]', raw = ''] = rest.toString().split('\t');
  // Written by our own query as a list of {column, code, message}.
  return { reasons: JSON.parse(textOf(reasons)) as BadRow['reasons'], raw: textOf(raw) };
}

async function* readRejected(path: string): AsyncGenerator<Rejected> {
  let carried: Buffer = Buffer.alloc(0);
  for await (const block of createReadStream(path, { highWaterMark: BUFFER_BYTES })) {
    const bytes = carried.length === 0 ? block : Buffer.concat([carried, block]);
    let start = 0;
    for (let end = bytes.indexOf(LINE_FEED); end !== -1; end = bytes.indexOf(LINE_FEED, start)) {
      yield rejectedOf(bytes.subarray(start, end));
      start = end + 1;
    }
    carried = bytes.subarray(start);
  }
}

function rejectedOf(line: Buffer): Rejected {
  const first = line.indexOf(TAB);
  const second = line.indexOf(TAB, first + 1);
  const number = (from: number, to: number) => Number(line.toString('latin1', from, to));
  return { line: number(0, first), before: number(first + 1, second), rest: line.subarray(second + 1) };
}
