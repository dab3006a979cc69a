import type { Stats } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';
import { SluiceError } from '../../core/errors.js';
import type { FileResolver, ResolvedFile } from '../pipeline.js';
import { type AllowedDir, allowedDirs, isInside, realFile, realTarget } from './allowed-path.js';
import { type FileUri, parseFileUri } from './file-uri.js';
import { globFiles, isGlob } from './glob-files.js';

export interface FileResolverOptions {
  /** Directories that `file:` URIs may touch; relative URIs are looked up in each, in order. */
  readonly dataDirs: readonly string[];
  /** Where uploads are kept: the home of `upload:` URIs. */
  readonly uploadsDir: string;
}

/**
 * The one gate between URIs of a spec and paths of this machine: nothing outside the allowed directories passes,
 * by whatever link. Paths it answers are real paths, links resolved.
 */
export function createFileResolver({ dataDirs, uploadsDir }: FileResolverOptions): FileResolver {
  const homes = (uri: FileUri) => allowedDirs(uri.scheme === 'file' ? dataDirs : [uploadsDir]);
  return {
    async resolve(text) {
      const uri = parseFileUri(text);
      const dirs = await homes(uri);
      const files = (await literalFile(uri, dirs)) ?? (await matchingFiles(uri, dirs));
      if (files.length === 0) throw notFound(uri, dirs);
      return files;
    },
    async resolveTarget(text) {
      const uri = parseFileUri(text);
      if (uri.scheme !== 'file') {
        throw new SluiceError('INVALID_INPUT', `${JSON.stringify(text)} cannot be written to; use a file: URI.`);
      }
      // Two readings of one name would be two targets: a target means what it says once decoded.
      const path = uri.paths.at(-1) ?? '';
      if (path.endsWith('/'))
        throw new SluiceError('INVALID_INPUT', `${JSON.stringify(text)} names a folder, not a file.`);
      return targetIn(path, await homes(uri), text);
    },
  };
}

/** A file of exactly that name wins over a pattern, so that `data[1].csv` and `why?.csv` can be read. */
async function literalFile(uri: FileUri, dirs: readonly AllowedDir[]): Promise<readonly ResolvedFile[] | null> {
  for (const path of uri.paths) {
    for (const candidate of placesOf(path, dirs, uri)) {
      const file = await realFile(candidate, dirs, uri.text);
      if (file) return [resolved(file, uri.text)];
    }
  }
  return null;
}

async function matchingFiles(uri: FileUri, dirs: readonly AllowedDir[]): Promise<readonly ResolvedFile[]> {
  for (const path of uri.paths.filter(isGlob)) {
    for (const dir of dirs) {
      const pattern = isAbsolute(path) ? relative(dir.path, path) : path;
      if (isAbsolute(path) && !isInside(path, dir.path)) continue;
      const names = await globFiles(pattern, dir.realPath, uri.text);
      // Two names may be one file behind a link; it is read once.
      const byPath = new Map<string, ResolvedFile>();
      for (const name of names) {
        const shown = `${uri.scheme}:${name}`;
        const file = await realFile(join(dir.realPath, name), dirs, shown);
        if (file && !byPath.has(file.path)) byPath.set(file.path, resolved(file, shown));
      }
      if (byPath.size > 0) return [...byPath.values()];
    }
  }
  return [];
}

/** Where a path may lie. @throws SluiceError FILE_NOT_ALLOWED for an absolute path outside every directory */
function placesOf(path: string, dirs: readonly AllowedDir[], uri: FileUri): readonly string[] {
  if (!isAbsolute(path)) return dirs.map((dir) => join(dir.realPath, path));
  if (dirs.some((dir) => isInside(path, dir.path) || isInside(path, dir.realPath))) return [path];
  throw new SluiceError(
    'FILE_NOT_ALLOWED',
    `${JSON.stringify(uri.text)} is an absolute path outside the data directories.`,
  );
}

async function targetIn(path: string, dirs: readonly AllowedDir[], uri: string): Promise<string> {
  const [first] = dirs;
  if (!first)
    throw new SluiceError('FILE_NOT_ALLOWED', 'There is no data directory to write to; set SLUICE_DATA_DIRS.');
  if (!isAbsolute(path)) return realTarget(join(first.realPath, path), first, uri);
  const dir = dirs.find((candidate) => isInside(path, candidate.path) || isInside(path, candidate.realPath));
  if (dir) return realTarget(path, dir, uri);
  throw new SluiceError('FILE_NOT_ALLOWED', `${JSON.stringify(uri)} is an absolute path outside the data directories.`);
}

function resolved(file: { path: string; stats: Stats }, uri: string): ResolvedFile {
  return { path: file.path, uri, bytes: file.stats.size, modifiedMs: file.stats.mtimeMs };
}

/** Names the directories, but not where they lie on this machine. */
function notFound(uri: FileUri, dirs: readonly AllowedDir[]): SluiceError {
  const places =
    uri.scheme === 'upload'
      ? 'among the uploads'
      : dirs.length > 0
        ? `in the data directories (${dirs.map((dir) => dir.name).join(', ')})`
        : 'because no data directory exists; set SLUICE_DATA_DIRS';
  return new SluiceError('FILE_NOT_FOUND', `${JSON.stringify(uri.text)} matches no file ${places}.`);
}
