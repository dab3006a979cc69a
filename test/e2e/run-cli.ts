import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { inject } from 'vitest';

export interface CliRun {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface RunningCli {
  /** What has come out so far. */
  out(): string;
  signal(name: NodeJS.Signals): void;
  ended: Promise<CliRun>;
}

/** Runs `sluice` as a user's shell would: without a terminal, with this environment and no other. */
export function startCli(args: readonly string[], env: Readonly<Record<string, string>> = {}): RunningCli {
  const child = spawn(process.execPath, [inject('sluiceMain'), ...args], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (data) => {
    out += String(data);
  });
  child.stderr.on('data', (data) => {
    err += String(data);
  });
  // `close`, not `exit`: only then everything has come out.
  const ended = once(child, 'close').then(() => ({ code: child.exitCode, out, err }));
  return { out: () => out, signal: (name) => child.kill(name), ended };
}

export const runCli = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CliRun> =>
  startCli(args, env).ended;
