import { dirname } from 'node:path';
import { z } from 'zod';
import { SluiceError } from '../../core/errors.js';
import { discardFile, firstMissing, identityOf, parsePreparedFile, publishFile, putAside } from './file-publish.js';
import type { SinkBinding } from './sink.js';

/** What the engine writes with `COPY ... TO 'part' (copyOptions)`. */
export interface FileFormat {
  readonly format: 'csv' | 'ndjson' | 'parquet';
  readonly copyOptions: string;
  readonly uri: string;
}

export const targetUri = (example: string) =>
  z
    .string()
    .min(1)
    .describe(
      `Where to write, e.g. ${example}: below a directory of SLUICE_DATA_DIRS. A file that is there is replaced.`,
    );

export const TEXT_COMPRESSIONS = ['AUTO', 'NONE', 'GZIP', 'ZSTD'] as const;
const COMPRESSED_ENDINGS = { GZIP: '.gz', ZSTD: '.zst' } as const;

export const textCompression = z
  .enum(TEXT_COMPRESSIONS)
  .default('AUTO')
  .describe('AUTO takes it from the name: .gz is GZIP, .zst is ZSTD, else NONE. Default AUTO.');

/**
 * The compression of a text file, in DuckDB's word. A name that says otherwise than the content would mislead every reader.
 * @throws SluiceError INVALID_INPUT with path `uri`
 */
export function compressionOf(
  uri: string,
  asked: (typeof TEXT_COMPRESSIONS)[number],
  endings: readonly string[],
): 'none' | 'gzip' | 'zstd' {
  const name = uri.toLowerCase();
  const ending = Object.values(COMPRESSED_ENDINGS).find((each) => name.endsWith(each)) ?? '';
  requireEnding(ending === '' ? name : name.slice(0, -ending.length), endings, uri);
  const named = ending === '.gz' ? 'gzip' : ending === '.zst' ? 'zstd' : 'none';
  if (asked === 'AUTO' || asked.toLowerCase() === named) return named;
  const wanted = asked === 'NONE' ? 'no .gz or .zst' : COMPRESSED_ENDINGS[asked];
  throw new SluiceError(
    'INVALID_INPUT',
    `With compression ${asked} the name must end in ${wanted}: ${JSON.stringify(uri)}.`,
    {
      path: ['uri'],
    },
  );
}

/** @throws SluiceError INVALID_INPUT with path `uri` */
export function requireEnding(name: string, endings: readonly string[], uri: string): void {
  if (endings.some((ending) => name.toLowerCase().endsWith(ending))) return;
  throw new SluiceError('INVALID_INPUT', `The name must end in ${endings.join(' or ')}: ${JSON.stringify(uri)}.`, {
    path: ['uri'],
  });
}

/** A sink that leaves one file behind, whole or not at all. The client it is given is not used. */
export function fileSink(file: FileFormat): SinkBinding {
  return {
    connection: null,
    staging: { kind: 'FILE', ...file },
    async inspect(_client, _output, files) {
      await files.resolveTarget(file.uri).catch(atUri);
      return { columns: null, key: [] };
    },
    async prepare(_client, job, _output, files) {
      const path = await files.resolveTarget(file.uri).catch(atUri);
      return { jobId: job.id, path, before: await identityOf(path), missing: await firstMissing(dirname(path)) };
    },
    async load({ signal }, prepared, part) {
      signal.throwIfAborted();
      if (part.expectedRows === null) {
        throw new SluiceError('INTERNAL', 'A finished file came without its number of rows.');
      }
      await putAside(parsePreparedFile(prepared), part);
      // Nothing is read back: the file that is published is the one that was evaluated, and nobody writes it again.
      return { rows: part.expectedRows, recheck: null };
    },
    async publish({ signal }, prepared) {
      // The last moment for it: nothing takes a rename back.
      signal.throwIfAborted();
      await publishFile(parsePreparedFile(prepared));
      return null;
    },
    discard: (_client, prepared) => discardFile(parsePreparedFile(prepared)),
  };
}

function atUri(error: unknown): never {
  throw error instanceof SluiceError ? error.under('uri') : error;
}
