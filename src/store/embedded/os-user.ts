import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { SluiceError } from '../../core/errors.js';
import type { Log } from '../../core/log.js';

const run = promisify(execFile);

/** The user that PostgreSQL runs as when that is not the user of this process. */
export interface OsUser {
  readonly uid: number;
  readonly gid: number;
}

const NAME = 'postgres';

async function lookUp(): Promise<OsUser | undefined> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', NAME]), run('id', ['-g', NAME])]);
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch {
    return undefined;
  }
}

/**
 * PostgreSQL refuses to run as root. For root this is the OS user `postgres`, created when it is missing; for anybody
 * else undefined: the server runs as they do.
 */
export async function serverUser(log: Log): Promise<OsUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const present = await lookUp();
  if (present) return present;
  log.info({ user: NAME }, 'creating the OS user that the embedded PostgreSQL runs as, because it may not run as root');
  let cause: unknown;
  try {
    await run('useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', NAME]);
  } catch (error) {
    cause = error;
  }
  const created = await lookUp();
  if (created) return created;
  throw new SluiceError(
    'DATABASE_UNREACHABLE',
    'The embedded PostgreSQL may not run as root and the OS user postgres could not be created: create it, run Sluice as an ordinary user, or set DATABASE_URL.',
    { cause },
  );
}

/** Whether that user may list and enter a folder, asked of the system itself: modes, groups and ACLs count. */
export async function canEnter(user: OsUser, folder: string): Promise<boolean> {
  const script = 'cd / && cd -- "$1" && test -r .';
  return run('/bin/sh', ['-c', script, 'sh', folder], { ...user, cwd: '/' }).then(
    () => true,
    () => false,
  );
}
