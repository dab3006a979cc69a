import { constants, type Stats } from 'node:fs';
import { access, lstat, realpath, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path';
import { SluiceError } from '../../core/errors.js';

/** A directory that files may lie in, with its real place; both are needed to judge links. */
export interface AllowedDir {
  readonly name: string;
  readonly path: string;
  readonly realPath: string;
}

const MISSING = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG']);

export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** The directories that exist now; one that is made later is found by the next call. */
export async function allowedDirs(paths: readonly string[]): Promise<readonly AllowedDir[]> {
  const found = await Promise.all(
    paths.map(async (path) => {
      const realPath = await realpath(path).catch(() => null);
      return realPath === null ? [] : [{ name: basename(path), path, realPath }];
    }),
  );
  return found.flat();
}

export function isInside(path: string, dir: string): boolean {
  const way = relative(dir, path);
  return way === '' || (!isAbsolute(way) && way !== '..' && !way.startsWith(`..${sep}`));
}

const notAllowed = (uri: string, why: string) => new SluiceError('FILE_NOT_ALLOWED', `${JSON.stringify(uri)} ${why}.`);

function unreadable(uri: string, error: unknown): SluiceError {
  const code = errnoOf(error);
  if (code === 'ELOOP') return notAllowed(uri, 'is a circle of links');
  const why = code === 'EACCES' || code === 'EPERM' ? 'may not be read by this process' : 'cannot be read';
  return new SluiceError('FILE_UNREADABLE', `${JSON.stringify(uri)} ${why}.`, { cause: error });
}

/**
 * The real place of a file, so that a link that is changed later leads nowhere else; null when there is none.
 * @throws SluiceError FILE_NOT_ALLOWED when it lies outside every directory or is no plain file; FILE_UNREADABLE
 */
export async function realFile(
  path: string,
  dirs: readonly AllowedDir[],
  uri: string,
): Promise<{ path: string; stats: Stats } | null> {
  try {
    const real = await realpath(path);
    if (!dirs.some((dir) => isInside(real, dir.realPath))) throw notAllowed(uri, 'leads out of the data directories');
    const stats = await stat(real);
    if (stats.isDirectory()) throw notAllowed(uri, 'is a directory; name its files, e.g. with /*.csv');
    if (!stats.isFile()) throw notAllowed(uri, 'is no regular file');
    await access(real, constants.R_OK);
    return { path: real, stats };
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    if (MISSING.has(errnoOf(error) ?? '')) return null;
    throw unreadable(uri, error);
  }
}

/**
 * The real place that a new file at `path` would have. Folders that are missing are allowed, and not made here.
 * @throws SluiceError FILE_NOT_ALLOWED when it would lie outside `dir`, or a link or something that is no file stands there
 */
export async function realTarget(path: string, dir: AllowedDir, uri: string): Promise<string> {
  const missing: string[] = [basename(path)];
  let parent = dirname(path);
  for (;;) {
    const real = await realpath(parent).catch((error: unknown) => {
      if (errnoOf(error) === 'ENOENT') return null;
      if (errnoOf(error) === 'ENOTDIR') throw notAllowed(uri, 'has a file where a folder must be');
      throw unreadable(uri, error);
    });
    if (real !== null) {
      if (!isInside(real, dir.realPath)) throw notAllowed(uri, 'leads out of the data directories');
      if (!(await stat(real)).isDirectory()) throw notAllowed(uri, 'has a file where a folder must be');
      const target = join(real, ...missing);
      await refuseAnythingButAFile(target, uri);
      return target;
    }
    // A dangling link is not "missing": making the folder would follow it.
    const stats = await lstat(parent).catch(() => null);
    if (stats?.isSymbolicLink()) throw notAllowed(uri, 'leads through a link that points nowhere');
    // Another job has made the folder meanwhile.
    if (stats !== null) continue;
    missing.unshift(basename(parent));
    parent = dirname(parent);
  }
}

async function refuseAnythingButAFile(path: string, uri: string): Promise<void> {
  const stats = await lstat(path).catch((error: unknown) => {
    if (errnoOf(error) === 'ENAMETOOLONG')
      throw new SluiceError('INVALID_INPUT', `${JSON.stringify(uri)} is too long a file name.`);
    return null;
  });
  if (stats === null || stats.isFile()) return;
  throw notAllowed(
    uri,
    stats.isSymbolicLink() ? 'is a link; a target must be a file of its own' : 'is no regular file',
  );
}
