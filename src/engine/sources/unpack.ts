import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { SluiceError } from '../../core/errors.js';
import type { ResolvedFile } from '../pipeline.js';

/**
 * Unpacks gzip files into the work folder and passes the others through. Unpacked once, they are read in
 * parallel and twice, which costs less than two serial passes through gzip.
 * @throws SluiceError FILE_UNREADABLE when a file is not gzip or cut off
 */
export async function unpackFiles(
  files: readonly ResolvedFile[],
  compression: 'AUTO' | 'NONE' | 'GZIP',
  workDir: string,
  signal: AbortSignal,
): Promise<readonly ResolvedFile[]> {
  const unpacked: ResolvedFile[] = [];
  for (const [index, file] of files.entries()) {
    const packed = compression === 'GZIP' || (compression === 'AUTO' && file.path.toLowerCase().endsWith('.gz'));
    unpacked.push(packed ? await gunzip(file, join(workDir, `unpacked-${index}`), signal) : file);
  }
  return unpacked;
}

async function gunzip(file: ResolvedFile, path: string, signal: AbortSignal): Promise<ResolvedFile> {
  try {
    await pipeline(createReadStream(file.path), createGunzip(), createWriteStream(path), { signal });
  } catch (error) {
    signal.throwIfAborted();
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (code.startsWith('Z_')) {
      throw new SluiceError('FILE_UNREADABLE', `${file.uri} is no complete gzip file.`, { cause: error });
    }
    throw error;
  }
  const { size } = await stat(path);
  return { ...file, path, bytes: size };
}
