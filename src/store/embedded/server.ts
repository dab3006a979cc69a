import { type ChildProcess, spawn } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, sleep } from '../../core/clock.js';
import type { Log } from '../../core/log.js';
import type { Binaries } from './binaries.js';
import type { Place } from './place.js';
import { readPostmasterFile } from './postmaster-file.js';
import { serverArguments } from './settings.js';

/** A running `postgres` that this process started. */
export interface Server {
  readonly pid: number;
  /** Resolves when the server is gone, whoever ended it. */
  readonly gone: Promise<void>;
  /** Ends every session and the server, within 5 s; may be called again. */
  stop(): Promise<void>;
}

/** The server ended before it was ready; `log` is what it said. */
export class ServerEnded extends Error {
  constructor(readonly log: string) {
    super(log.trim().split('\n').slice(-4).join(' ') || 'the server ended without a word');
  }
}

const hasEnded = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null;

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (hasEnded(child)) resolve();
    else child.once('exit', () => resolve());
  });
}

async function waitUntilReady(child: ChildProcess, place: Place, clock: Clock, log: Log): Promise<void> {
  const begin = clock.monotonicMs();
  let said = false;
  for (;;) {
    const file = await readPostmasterFile(place.data);
    if (file?.pid === child.pid && file?.isReady) return;
    if (hasEnded(child)) throw new ServerEnded(await readFile(join(place.own, 'server.log'), 'utf8'));
    if (!said && clock.monotonicMs() - begin > 5_000) {
      said = true;
      log.info({ data: place.data }, 'the embedded PostgreSQL is recovering after a crash; this may take a while');
    }
    await sleep(clock, 10);
  }
}

export interface ServerOptions {
  readonly place: Place;
  readonly binaries: Binaries;
  readonly port: number;
  readonly durable: boolean;
  readonly clock: Clock;
  readonly log: Log;
}

/** @throws ServerEnded when it does not get ready */
export async function startServer({ place, binaries, port, durable, clock, log }: ServerOptions): Promise<Server> {
  const output = await open(join(place.own, 'server.log'), 'w', 0o600);
  const child = spawn(binaries.postgres, ['-D', place.data, ...serverArguments(port, durable)], {
    ...place.user,
    cwd: place.shared,
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
    stdio: ['ignore', output.fd, output.fd],
    // A session of its own: Ctrl-C in the terminal must reach Sluice alone, which still needs the database to drain.
    detached: true,
  });
  const spawned = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('spawn', () => resolve(child.pid ?? 0));
  });
  // A process that forgot to stop the server may end all the same, and takes the server with it.
  child.unref();
  const onExit = () => child.kill('SIGINT');
  process.once('exit', onExit);
  let isStopping = false;
  child.once('exit', (code, signal) => {
    process.off('exit', onExit);
    if (!isStopping) log.error({ code, signal }, 'the embedded PostgreSQL has ended, and not by us');
  });
  try {
    const pid = await spawned;
    await waitUntilReady(child, place, clock, log);
    return {
      pid,
      gone: ended(child),
      async stop() {
        isStopping = true;
        child.ref();
        // SIGINT is PostgreSQL's fast shutdown. A checkpoint of much data may outlast our patience; SIGQUIT leaves it to
        // the recovery at the next start, and loses nothing that was committed.
        child.kill('SIGINT');
        const quit = clock.after(4_000, () => child.kill('SIGQUIT'));
        await ended(child);
        quit.cancel();
      },
    };
  } catch (error) {
    isStopping = true;
    process.off('exit', onExit);
    child.kill('SIGQUIT');
    throw error;
  } finally {
    await output.close();
  }
}
