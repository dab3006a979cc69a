import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { type Clock, systemClock } from '../core/clock.js';
import { SluiceError } from '../core/errors.js';
import type { Log } from '../core/log.js';
import { locateBinaries } from './embedded/binaries.js';
import { prepareData, ROLE } from './embedded/data-folder.js';
import { freePort } from './embedded/free-port.js';
import { lockHome } from './embedded/home-lock.js';
import { serverUser } from './embedded/os-user.js';
import { choosePlace, type Place } from './embedded/place.js';
import { endOrphan } from './embedded/postmaster-file.js';
import { hasCode } from './embedded/process-probe.js';
import { type Server, ServerEnded, type ServerOptions } from './embedded/server.js';
import { startPatiently, supervise } from './embedded/supervise.js';

// Where things are kept that root's server user could not reach elsewhere.
const SHELF = '/var/lib/sluice';

export interface EmbeddedPostgresOptions {
  /** `SLUICE_HOME`; made when missing. */
  readonly home: string;
  readonly log: Log;
  /** False only for databases that may be lost, i.e. those of tests. */
  readonly durable?: boolean;
  readonly clock?: Clock;
}

export interface EmbeddedPostgres {
  /** `postgresql://...` with the password, for the database `sluice`. */
  readonly url: string;
  /** The process of the server; another one after the server was killed and started again. */
  readonly pid: number;
  /** Stops the server within 5 s and gives the home free. */
  stop(): Promise<void>;
}

async function createDatabase(url: URL): Promise<void> {
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [ROLE]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${ROLE}`);
  } finally {
    await client.end();
  }
}

/** Starts on the port of last time when it is free, and on another one when that is lost to somebody else meanwhile. */
async function startOnFreePort(options: Omit<ServerOptions, 'port'>): Promise<{ server: Server; port: number }> {
  const { place } = options;
  const portFile = join(place.own, 'port');
  let preferred = Number(await readFile(portFile, 'utf8').catch(() => '')) || undefined;
  for (let tries = 1; ; tries++) {
    const port = await freePort(preferred);
    try {
      const server = await startPatiently({ ...options, port });
      await writeFile(portFile, `${port}\n`);
      return { server, port };
    } catch (error) {
      const lostPort = error instanceof ServerEnded && error.log.includes('Address already in use');
      if (!lostPort || tries === 10) throw error;
      preferred = undefined;
    }
  }
}

function refusal(error: unknown, home: string): SluiceError {
  if (error instanceof SluiceError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  if (hasCode(error, 'EACCES') || hasCode(error, 'EROFS') || hasCode(error, 'EPERM')) {
    return new SluiceError(
      'CONFIG_INVALID',
      `SLUICE_HOME ${home} cannot be written to (${reason}): choose another folder.`,
      {
        cause: error,
      },
    );
  }
  return new SluiceError('DATABASE_UNREACHABLE', `The embedded PostgreSQL of ${home} did not start: ${reason}`, {
    cause: error,
  });
}

/**
 * The PostgreSQL that comes along when `DATABASE_URL` is not set: data kept between starts, reachable from this machine
 * alone and with a password only. One process a home. Survives kill -9 of the server, of this process, or of both.
 *
 * @throws SluiceError HOME_LOCKED, CONFIG_INVALID (home not writable), DATABASE_TOO_OLD/NEW (data of another version),
 *   DATABASE_UNREACHABLE (anything else, with what the server said)
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { log, durable = true, clock = systemClock } = options;
  const home = resolve(options.home);
  const lock = await lockHome(home).catch((error: unknown) => {
    throw refusal(error, home);
  });
  let server: Server | undefined;
  try {
    const user = await serverUser(log);
    const place: Place = await choosePlace(home, SHELF, user, log);
    const binaries = await locateBinaries(place.user, SHELF, log);
    const password = await prepareData(place, binaries, durable, log);
    await endOrphan(place.data, clock, log);
    const settings = { place, binaries, durable, clock, log };
    const started = await startOnFreePort(settings);
    server = started.server;
    const url = new URL(`postgresql://${ROLE}:${password}@127.0.0.1:${started.port}/postgres`);
    await createDatabase(url);
    url.pathname = `/${ROLE}`;
    const supervised = supervise({ ...settings, port: started.port }, started.server);
    return {
      url: url.href,
      get pid() {
        return supervised.current().pid;
      },
      async stop() {
        await supervised.stop();
        await lock.release();
      },
    };
  } catch (error) {
    await server?.stop();
    await lock.release();
    throw refusal(error, home);
  }
}
