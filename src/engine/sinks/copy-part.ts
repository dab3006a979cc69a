import { once } from 'node:events';
import { type FileHandle, open } from 'node:fs/promises';
import { basename } from 'node:path';
import type { PoolClient } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { SluiceError } from '../../core/errors.js';
import { quoteIdentifier } from '../column.js';
import { cancellable } from './cancel-query.js';
import { MarkedLineFilter } from './marked-line.js';
import type { Part } from './sink.js';

/** A table by its exact name; without a schema, a temporary table of the session. */
export interface TableName {
  readonly schema: string | null;
  readonly name: string;
}

/** What of a part file is copied. */
export type PartRange = Pick<Part, 'uri' | 'offset' | 'bytes'>;

// One write to the socket per block: 64 KiB reads cost a quarter of the throughput.
const BLOCK_BYTES = 1024 * 1024;
// Above what a socket takes before it asks to wait.
const SMALL_BYTES = 256 * 1024;

export const quoteTable = ({ schema, name }: TableName): string =>
  `${quoteIdentifier(schema ?? 'pg_temp')}.${quoteIdentifier(name)}`;

/** @throws SluiceError INTERNAL when the part file is gone */
export function openPart({ uri }: PartRange): Promise<FileHandle> {
  return open(uri, 'r').catch((error: unknown) => {
    throw new SluiceError('INTERNAL', `The part file ${basename(uri)} cannot be read from the staging area.`, {
      cause: error,
      details: { part: basename(uri) },
    });
  });
}

/**
 * Streams a part (PostgreSQL's COPY text format: tab, `\N`, backslash escapes, UTF-8; without marked lines) into a table, in the
 * client's transaction. An abort ends it within a second, also while it waits for a lock, and leaves the client
 * usable: in a failed transaction, to be rolled back.
 *
 * @returns rows copied
 * @throws SluiceError INTERNAL when the part file is gone; the server's own error, with SQLSTATE and `where`
 *   (`COPY orders, line 7, column id`); the signal's reason
 */
export async function copyPart(
  client: PoolClient,
  part: PartRange,
  table: TableName,
  columns: readonly string[],
  signal: AbortSignal,
): Promise<number> {
  signal.throwIfAborted();
  const file = await openPart(part);
  try {
    return await cancellable(client, signal, () => stream(client, file, part, table, columns, signal));
  } finally {
    await file.close();
  }
}

async function stream(
  client: PoolClient,
  file: FileHandle,
  part: PartRange,
  table: TableName,
  columns: readonly string[],
  signal: AbortSignal,
): Promise<number> {
  const list = columns.map(quoteIdentifier).join(', ');
  const sql = `COPY ${quoteTable(table)} (${list}) FROM STDIN WITH (FORMAT text, ENCODING 'UTF8')`;
  // So small that every block is waited for.
  const copy = client.query(copyFrom(sql, { highWaterMark: 1 }));
  // `finish` comes when the server has answered to the last byte, `error` when it refused or was told to fail. After
  // either the stream must not be touched: pg-copy-streams has let go of the connection and would dereference null.
  let answered = false;
  const finished = new Promise<void>((resolve, reject) => {
    copy.once('finish', resolve);
    copy.on('error', reject);
    const note = () => {
      answered = true;
    };
    copy.once('finish', note).once('error', note);
  });
  // Awaited only after the bytes are written; a refusal before that must not count as unhandled.
  finished.catch(() => {});
  const stop = () => {
    if (!answered) copy.destroy(new Error('cancelled'));
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    // One block at a time: the stream crashes the process when the server refuses while more than one is waiting.
    // And always the same memory: a new MiB per block has V8 collect garbage for longer than the copy takes. A large
    // block is larger than any buffer on its way, so that `drain` means it is sent; of a small one this is not known.
    const block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
    const end = part.offset + part.bytes;
    const marked = new MarkedLineFilter();
    for (let position = part.offset; position < end && !answered && !copy.destroyed; ) {
      const length = await fillBlock(file, block.subarray(0, Math.min(BLOCK_BYTES, end - position)), position);
      if (answered || copy.destroyed || length === 0) break;
      const { rows, consumed } = marked.filter(block.subarray(0, length), position + length >= end);
      position += consumed;
      if (rows === 0) continue;
      const bytes = rows < SMALL_BYTES ? Buffer.from(block.subarray(0, rows)) : block.subarray(0, rows);
      if (!copy.write(bytes)) await Promise.race([once(copy, 'drain'), finished]);
    }
    if (!answered && !copy.destroyed) copy.end();
  } catch (error) {
    // Tells the server to forget the rows; without it the connection stays in copy mode.
    stop();
    await finished.catch(() => {});
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
  await finished;
  return copy.rowCount;
}

/** Reads from `position` until the block is full or the file ends. @returns bytes read */
export async function fillBlock(file: FileHandle, block: Buffer, position: number): Promise<number> {
  let length = 0;
  while (length < block.length) {
    const { bytesRead } = await file.read(block, length, block.length - length, position + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return length;
}
