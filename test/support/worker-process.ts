import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';
import { eventually } from './eventually.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface WorkerProcess {
  readonly pid: number;
  readonly child: ChildProcess;
  /** Everything it has printed. */
  output(): string;
  /** Kills it as the kernel would, without a word. */
  kill(): Promise<void>;
}

/**
 * A `sluice worker` in a process of its own; resolves once it works, or was killed already.
 * @param deadlyFile opening such a file kills it
 */
export async function startWorkerProcess(env: Record<string, string>, deadlyFile?: RegExp): Promise<WorkerProcess> {
  const main = inject('sluiceMain');
  const mortal = deadlyFile ? ['--import', join(dirname(main), 'mortal.mjs')] : [];
  const child = spawn(process.execPath, [...mortal, main, 'worker'], {
    cwd: ROOT,
    // Nothing of the run's own settings: a worker of a test belongs to that test.
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      SLUICE_ENGINE_THREADS: '1',
      ...(deadlyFile && { DEADLY_FILE: deadlyFile.source }),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // However the test ends, its worker does not outlive it.
  process.once('exit', () => child.kill('SIGKILL'));
  let printed = '';
  const keep = (chunk: Buffer) => {
    printed += chunk.toString();
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  await eventually(() => printed.includes('Sluice works.') || hasEnded(), 60_000);
  if (child.pid === undefined || child.exitCode !== null) throw new Error(`the worker did not start: ${printed}`);
  return {
    pid: child.pid,
    child,
    output: () => printed,
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}
