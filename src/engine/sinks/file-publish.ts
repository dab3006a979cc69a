import { randomUUID } from 'node:crypto';
import { constants, copyFile, link, lstat, mkdir, open, readdir, realpath, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { SluiceError } from '../../core/errors.js';
import type { Part } from './sink.js';

/** What `prepare` of a file sink leaves on the job. */
const preparedFile = z.object({
  jobId: z.string(),
  /** Real path of the file to write. */
  path: z.string(),
  /** What stood there before, so that a publish that is repeated after a crash knows its own work; null for nothing. */
  before: z.string().nullable(),
  /** The outermost folder that did not exist then; null when all did. */
  missing: z.string().nullable().default(null),
});

export type PreparedFile = z.infer<typeof preparedFile>;

export function parsePreparedFile(prepared: unknown): PreparedFile {
  const parsed = preparedFile.safeParse(prepared);
  if (parsed.success) return parsed.data;
  throw new SluiceError('INTERNAL', 'The job holds no target that this version of the file sinks can write.', {
    cause: parsed.error,
  });
}

/** Tells one file from any other that has stood at the same place. */
export async function identityOf(path: string): Promise<string | null> {
  const stats = await lstat(path, { bigint: true }).catch(() => null);
  return stats && `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeNs}`;
}

/** The outermost folder of the path that does not exist; null when the path does. */
export async function firstMissing(dir: string): Promise<string | null> {
  let missing: string | null = null;
  for (let folder = dir; (await lstat(folder).catch(() => null)) === null; folder = dirname(folder)) missing = folder;
  return missing;
}

// Hidden, so that no pattern of a source reads it; short, so that a long name of the target does not make it too long.
const asidePrefix = ({ jobId }: PreparedFile) => `.sluice-${jobId}.`;
const asidePath = (file: PreparedFile) => join(dirname(file.path), `${asidePrefix(file)}tmp`);

/** Puts the finished part beside its target, whole and on disk, under a name that nobody reads. */
export async function putAside(file: PreparedFile, part: Part): Promise<void> {
  const dir = dirname(file.path);
  await mkdir(dir, { recursive: true });
  await refuseMovedFolder(dir);
  // A name of its own: a loader that has lost its lease may still be writing.
  const copy = join(dir, `${asidePrefix(file)}${randomUUID()}`);
  try {
    // On the disk of the staging area a link costs nothing; the part is immutable.
    await link(part.uri, copy).catch(() => copyFile(part.uri, copy, constants.COPYFILE_FICLONE));
    await sync(copy);
    await rename(copy, asidePath(file));
  } catch (error) {
    await rm(copy, { force: true });
    throw error;
  }
}

/**
 * Renames the file into its place: readers see the old or the new one, whole. Repeated after a crash between the
 * rename and the commit, it finds the work done.
 */
export async function publishFile(file: PreparedFile): Promise<void> {
  const dir = dirname(file.path);
  await refuseMovedFolder(dir);
  try {
    await rename(asidePath(file), file.path);
  } catch (error) {
    const now = await identityOf(file.path);
    if (now !== null && now !== file.before) return;
    throw new SluiceError('INTERNAL', 'The finished file is gone before it was published; run the job again.', {
      cause: error,
    });
  }
  for (const folder of [dir, ...madeFolders(file).map((made) => dirname(made))]) await sync(folder);
  // Copies of workers that were killed while they wrote them.
  await removeAside(file);
}

/** Removes what lies beside the target, and folders that were made for it and hold nothing else. */
export async function discardFile(file: PreparedFile): Promise<void> {
  await removeAside(file);
  for (const folder of madeFolders(file)) {
    const isGone = await rmdir(folder).then(
      () => true,
      // Never made, or somebody else has put something there.
      (error: unknown) => error instanceof Error && 'code' in error && error.code === 'ENOENT',
    );
    if (!isGone) return;
  }
}

/** Folders that did not exist when the job was prepared, the innermost first. */
function madeFolders({ path, missing }: PreparedFile): readonly string[] {
  if (missing === null) return [];
  const made: string[] = [];
  for (let folder = dirname(path); folder.length >= missing.length; folder = dirname(folder)) made.push(folder);
  return made;
}

async function removeAside(file: PreparedFile): Promise<void> {
  const dir = dirname(file.path);
  const names = await readdir(dir).catch(() => []);
  const ours = names.filter((name) => name.startsWith(asidePrefix(file)));
  await Promise.all(ours.map((name) => rm(join(dir, name), { force: true })));
}

/** The folder was checked when the job was prepared; a link put in its place since must not lead out. */
async function refuseMovedFolder(dir: string): Promise<void> {
  const real = await realpath(dir).catch(() => null);
  if (real === dir) return;
  throw new SluiceError('FILE_NOT_ALLOWED', 'The folder of the target was replaced while the job ran.');
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
