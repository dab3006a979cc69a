import { chmod, chown, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newId } from '../../core/ids.js';
import type { Log } from '../../core/log.js';
import { canEnter, type OsUser } from './os-user.js';

/** Where things of one embedded PostgreSQL lie. */
export interface Place {
  /** Below the home: password, port, log; belongs to the user of this process. */
  readonly own: string;
  /** Belongs to the user of the server; holds the data folder, and drafts of it. */
  readonly shared: string;
  /** PostgreSQL's data folder. */
  readonly data: string;
  /** Who the server runs as, when not as the user of this process. */
  readonly user: OsUser | undefined;
}

const exists = (path: string) => stat(path).catch(() => undefined);

/** A data folder of ours elsewhere, remembered in the home, so that deleting the home starts anew. */
async function placeElsewhere(home: string, own: string, shelf: string, user: OsUser, log: Log): Promise<string> {
  const pointer = join(own, 'location');
  const remembered = (await readFile(pointer, 'utf8').catch(() => '')).trim();
  const shared = remembered || join(shelf, newId());
  if (!(await exists(shared))) {
    await mkdir(shared, { recursive: true });
    await chmod(shelf, 0o755);
    await chown(shared, user.uid, user.gid);
    // For whoever wonders what this folder is.
    await writeFile(join(shared, 'home'), `${home}\n`);
  }
  if (!remembered) await writeFile(pointer, `${shared}\n`);
  log.info(
    { home, data: shared },
    `the OS user postgres cannot reach ${own}: the data of the embedded PostgreSQL are in ${shared}`,
  );
  return shared;
}

/**
 * Decides where the data live. Normally `<home>/postgres`; when the server has to run as another user who cannot get
 * there (a clone below root's private home), a folder of its own on `shelf`.
 */
export async function choosePlace(home: string, shelf: string, user: OsUser | undefined, log: Log): Promise<Place> {
  const own = join(home, 'postgres');
  const isNew = !(await exists(own));
  await mkdir(own, { recursive: true });
  if (user && isNew) {
    // Whatever the umask: the server's user must be able to pass through, and to see no more than that.
    await chmod(home, 0o711);
    await chmod(own, 0o755);
  }
  const data = join(own, 'data');
  const present = await exists(data);
  // Data that an ordinary user began are served as that user: PostgreSQL insists on owning its folder.
  if (user && present && present.uid !== 0) {
    const owner = { uid: present.uid, gid: present.gid };
    if (await canEnter(owner, own)) return { own, shared: own, data, user: owner };
  }
  if (user && !(await canEnter(user, own))) {
    const shared = await placeElsewhere(home, own, shelf, user, log);
    return { own, shared, data: join(shared, 'data'), user };
  }
  return { own, shared: own, data, user };
}
