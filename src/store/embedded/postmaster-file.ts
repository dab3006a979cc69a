import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, sleep } from '../../core/clock.js';
import type { Log } from '../../core/log.js';
import { commandLine, isProcessAlive } from './process-probe.js';

/** What PostgreSQL writes about itself into its data folder (postmaster.pid; src/include/utils/pidfile.h). */
interface PostmasterFile {
  readonly pid: number;
  readonly isReady: boolean;
  readonly lines: readonly string[];
}

const PID_LINE = 0;
const STATUS_LINE = 7;

const pathIn = (data: string) => join(data, 'postmaster.pid');

export async function readPostmasterFile(data: string): Promise<PostmasterFile | undefined> {
  const text = await readFile(pathIn(data), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const lines = text.split('\n');
  return { pid: Math.abs(Number(lines[PID_LINE])), isReady: lines[STATUS_LINE]?.trim() === 'ready', lines };
}

async function isGone(clock: Clock, pid: number, withinMs: number): Promise<boolean> {
  const end = clock.monotonicMs() + withinMs;
  while (isProcessAlive(pid)) {
    if (clock.monotonicMs() > end) return false;
    await sleep(clock, 20);
  }
  return true;
}

/**
 * Clears the way for a new server after the last owner of the folder was killed. Only called with the home locked:
 * a server that still runs there belongs to nobody.
 */
export async function endOrphan(data: string, clock: Clock, log: Log): Promise<void> {
  const file = await readPostmasterFile(data);
  if (file === undefined || !isProcessAlive(file.pid)) return;
  if (!(await commandLine(file.pid)).includes(data)) {
    // The number was given to another process meanwhile. The file itself must stay: it names the shared memory that
    // PostgreSQL checks for surviving children. With our own pid, its parent's, PostgreSQL takes it for stale.
    await writeFile(pathIn(data), [process.pid, ...file.lines.slice(1)].join('\n'));
    return;
  }
  log.warn({ pid: file.pid }, 'the embedded PostgreSQL of a Sluice that was killed still runs: stopping it first');
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    process.kill(file.pid, signal);
    if (await isGone(clock, file.pid, 5_000)) return;
  }
}
