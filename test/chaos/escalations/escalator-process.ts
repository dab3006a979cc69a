import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** One escalator in a process of its own. */
export interface EscalatorProcess {
  /** Resolves once it moves and delivers; rejects when it ends before. */
  readonly ready: Promise<void>;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
}

/** Everything that an escalator runs in one file: it starts in 0.3 s instead of one or more. @returns its path */
export async function bundleEscalator(folder: string): Promise<string> {
  const outfile = join(folder, 'escalator.mjs');
  await build({
    entryPoints: [fileURLToPath(new URL('./run-escalator.ts', import.meta.url))],
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    outfile,
    logLevel: 'error',
    // Packages in CommonJS call it, and a module has none.
    banner: { js: "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);" },
  });
  return outfile;
}

/** @param complain is given what the process prints */
export function startEscalator(
  file: string,
  env: Readonly<Record<string, string>>,
  complain: (line: string) => void,
): EscalatorProcess {
  const machine = { PATH: process.env.PATH, HOME: process.env.HOME, TMPDIR: process.env.TMPDIR };
  const child = fork(file, [], { env: { ...machine, ...env }, execArgv: [], stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => chunk.toString().split('\n').filter(Boolean).forEach(complain));
  }
  const ended = once(child, 'exit');
  const ready = Promise.race([
    once(child, 'message').then(() => undefined),
    ended.then(([code, signal]) => Promise.reject(new Error(`an escalator ended by itself: ${signal ?? code}`))),
  ]);
  // Whoever kills it does not wait for it.
  ready.catch(() => undefined);
  return {
    ready,
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
