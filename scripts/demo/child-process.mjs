import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { createInterface } from 'node:readline';

const STOP_WITHIN_MS = 15_000;

/** What the demonstration sets must not mix with what this machine has set for a gateway of its own. */
export const machineEnv = () =>
  Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(SLUICE_.*|DATABASE_URL|REDIS_URL)$/.test(name)),
  );

/** A process of the demonstration ended by itself. `log` is the file with what it said. */
export class ChildEnded extends Error {
  constructor(message, log) {
    super(message);
    this.log = log;
  }
}

/**
 * Starts a Node process that ends with the demonstration, its output in the file `log`; with `onLine`, what it prints
 * comes here line by line, and its stdin ends when we do, however that is.
 *
 * `died` rejects with ChildEnded when the process ends without having been told to.
 *
 * @returns {{ isGone: () => boolean, died: Promise<never>, stop: () => Promise<void> }}
 */
export function startChild({ name, args, cwd, env, log, onLine }) {
  const output = openSync(log, 'w');
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...machineEnv(), ...env },
    stdio: onLine ? ['pipe', 'pipe', output] : ['ignore', output, output],
    // Its own process group: Ctrl-C in the terminal reaches us alone, and we stop it in order.
    detached: true,
  });
  closeSync(output);
  if (onLine) createInterface(child.stdout).on('line', onLine);
  const exited = new Promise((resolve) => child.once('exit', resolve).once('error', resolve));
  const isGone = () => child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
  // However this process ends, the child gets its signal.
  process.once('exit', () => {
    if (!isGone()) child.kill('SIGTERM');
  });
  let isStopping = false;
  const died = exited.then(() => {
    if (isStopping) return new Promise(() => {});
    throw new ChildEnded(`${name} has ended unexpectedly (${child.signalCode ?? `code ${child.exitCode}`}).`, log);
  });
  // Whoever does not wait for it has another way to notice.
  died.catch(() => {});
  return {
    isGone,
    died,
    async stop() {
      isStopping = true;
      child.kill('SIGTERM');
      const hard = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
      await exited;
      clearTimeout(hard);
    },
  };
}
