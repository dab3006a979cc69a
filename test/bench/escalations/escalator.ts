import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = join(dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url))))), 'dist', 'src', 'main.js');
const READY = 'Sluice works.';

export interface Escalator {
  readonly pid: number;
  stop(): Promise<void>;
}

/** The built program as an operator runs it, in the role of the escalator alone. */
export async function startEscalator(databaseUrl: string): Promise<Escalator> {
  const home = await mkdtemp(join(tmpdir(), 'sluice-bench-escalator-'));
  const env = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    DATABASE_URL: databaseUrl,
    SLUICE_HOME: home,
    SLUICE_ROLES: 'escalator',
    SLUICE_WEBHOOK_ALLOW: '127.0.0.1',
    SLUICE_LOG_LEVEL: 'warn',
  };
  const child = spawn(process.execPath, [MAIN, 'serve'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  await ready(child);
  return {
    pid: child.pid ?? 0,
    async stop() {
      const ended = child.exitCode === null ? once(child, 'exit') : undefined;
      child.kill();
      await ended;
      await rm(home, { recursive: true, force: true });
    },
  };
}

async function ready(child: ChildProcess): Promise<void> {
  let said = '';
  const works = new Promise<void>((resolve) => {
    child.stdout?.on('data', (data) => {
      said += String(data);
      if (said.includes(READY)) resolve();
    });
  });
  const ended = once(child, 'exit').then(() => {
    throw new Error('The escalator ended before it was ready.');
  });
  await Promise.race([works, ended]);
  // From here on it may end.
  ended.catch(() => undefined);
}
