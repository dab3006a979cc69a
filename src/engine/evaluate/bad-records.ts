import { type FileHandle, open } from 'node:fs/promises';

const FLUSH_CHARACTERS = 1024 * 1024;
// What the number of the line adds.
const NUMBER_BYTES = 32;

/** Gathers what marked lines keep of bad rows in a file of one JSON object a line, each with the number of its row. */
export class BadRecords {
  /** Bytes of the longest one: its reader takes twice as much memory as it is told to expect. */
  longestBytes = 0;
  private pending: string[] = [];
  private characters = 0;

  private constructor(
    readonly path: string,
    private readonly file: FileHandle,
  ) {}

  static async create(path: string): Promise<BadRecords> {
    return new BadRecords(path, await open(path, 'w'));
  }

  /** @param json the object as a marked line has it */
  add(line: number, json: Buffer): void | Promise<void> {
    const record = `{"line":${line},${json.toString('utf8', 1)}\n`;
    this.longestBytes = Math.max(this.longestBytes, json.length + NUMBER_BYTES);
    this.pending.push(record);
    this.characters += record.length;
    if (this.characters > FLUSH_CHARACTERS) return this.flush();
  }

  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      await this.file.close();
    }
  }

  private async flush(): Promise<void> {
    const text = this.pending.join('');
    this.pending = [];
    this.characters = 0;
    await this.file.write(text);
  }
}
