import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SluiceError } from '../../core/errors.js';
import type { Log } from '../../core/log.js';
import type { Binaries } from './binaries.js';
import type { Place } from './place.js';

const run = promisify(execFile);

/** The superuser of the embedded server, and its one database. */
export const ROLE = 'sluice';

const DRAFT = 'initdb-';

async function readPassword(place: Place): Promise<string | undefined> {
  const text = await readFile(join(place.own, 'password'), 'utf8').catch(() => undefined);
  return text?.trim() || undefined;
}

/** initdb in a draft folder that is renamed when complete: a kill in between leaves nothing that looks like a database. */
async function initialise(place: Place, binaries: Binaries, durable: boolean): Promise<string> {
  const password = randomBytes(24).toString('base64url');
  await writeFile(join(place.own, 'password'), `${password}\n`, { mode: 0o600 });
  const draft = join(place.shared, `${DRAFT}${randomBytes(6).toString('hex')}`);
  await mkdir(draft, { mode: 0o700 });
  // initdb reads the password as the server's user, who cannot read ours.
  const passwordFile = join(draft, 'password');
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (place.user) {
    await chown(draft, place.user.uid, place.user.gid);
    await chown(passwordFile, place.user.uid, place.user.gid);
  }
  const args = [
    `--pgdata=${join(draft, 'data')}`,
    `--username=${ROLE}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    // The same order and case rules on every machine, whatever locales it has.
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    ...(durable ? [] : ['--no-sync']),
  ];
  await run(binaries.initdb, args, {
    ...place.user,
    cwd: place.shared,
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
  });
  await rename(join(draft, 'data'), place.data);
  await rm(draft, { recursive: true, force: true });
  return password;
}

/** What a kill during initdb left behind. An initdb that still runs there may write on, to no effect. */
async function removeDrafts(place: Place): Promise<void> {
  for (const name of await readdir(place.shared)) {
    if (!name.startsWith(DRAFT)) continue;
    await rm(join(place.shared, name), { recursive: true, force: true, maxRetries: 3 }).catch(() => undefined);
  }
}

/**
 * Makes sure that there is a data folder which this server can open.
 *
 * @returns the password of the superuser
 * @throws SluiceError DATABASE_TOO_OLD or DATABASE_TOO_NEW when the data are of another major version
 */
export async function prepareData(place: Place, binaries: Binaries, durable: boolean, log: Log): Promise<string> {
  await removeDrafts(place);
  const version = await readFile(join(place.data, 'PG_VERSION'), 'utf8').catch(() => undefined);
  if (version === undefined) {
    if ((await stat(place.data).catch(() => undefined)) && (await readdir(place.data)).length > 0) {
      const aside = `${place.data}-unusable-${randomBytes(3).toString('hex')}`;
      log.warn({ data: place.data, aside }, `${place.data} holds no database: moved to ${aside}, starting anew`);
      await rename(place.data, aside);
    }
    log.info({ data: place.data }, 'creating the embedded PostgreSQL');
    return initialise(place, binaries, durable);
  }
  const found = version.trim();
  if (found !== binaries.major) {
    const code = Number(found) < Number(binaries.major) ? 'DATABASE_TOO_OLD' : 'DATABASE_TOO_NEW';
    throw new SluiceError(
      code,
      `The data in ${place.data} are of PostgreSQL ${found}, and the embedded PostgreSQL is version ${binaries.major}: move them with pg_dump and pg_restore, or choose another SLUICE_HOME.`,
    );
  }
  const password = await readPassword(place);
  if (password !== undefined) return password;
  throw new SluiceError(
    'DATABASE_UNREACHABLE',
    `The password of the embedded PostgreSQL is missing (${join(place.own, 'password')}): restore that file, or remove ${place.data} to start anew.`,
  );
}
