import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A gateway in a process of its own, as a user starts it. */
export interface GatewayProcess {
  readonly url: string;
  readonly token: string;
  readonly pid: number;
  readonly child: ChildProcess;
  /** What it has logged so far. */
  log(): string;
  /** SIGTERM, and SIGKILL when that does not end it within 15 s. @returns the exit code */
  stop(): Promise<number | null>;
}

export interface GatewayProcessOptions {
  /** What node runs, e.g. `['dist/src/main.js']`. */
  readonly entry: readonly string[];
  /** Variables of the gateway; none of ours leak into it but the machine's own. */
  readonly env: Readonly<Record<string, string>>;
  readonly readyWithinMs?: number;
  /** Whether messages can be sent to and fro. Default false. */
  readonly ipc?: boolean;
}

const LOG_LIMIT = 1 << 20;

/** Starts `serve` on a free port and waits until it is ready. @throws Error with the end of its log */
export async function startGatewayProcess(options: GatewayProcessOptions): Promise<GatewayProcess> {
  const port = await freePort();
  const token = randomBytes(24).toString('hex');
  const env = { ...machineEnv(), ...options.env, SLUICE_PORT: String(port), SLUICE_ADMIN_TOKEN: token };
  const pipes = ['ignore', 'pipe', 'pipe'] as const;
  const stdio = options.ipc ? [...pipes, 'ipc' as const] : [...pipes];
  const child: ChildProcess = spawn(process.execPath, [...options.entry, 'serve'], { env, stdio });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (data) => {
      log = (log + String(data)).slice(-LOG_LIMIT);
    });
  }
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const stop = async () => {
    const code = await end(child);
    process.off('exit', kill);
    return code;
  };
  const url = `http://127.0.0.1:${port}`;
  try {
    await ready(child, url, options.readyWithinMs ?? 60_000);
  } catch (error) {
    await stop();
    throw new Error(`${error instanceof Error ? error.message : error}\n${log.slice(-4_000)}`);
  }
  return { url, token, pid: child.pid ?? 0, child, log: () => log, stop };
}

/** The variables that any program needs; those of Sluice and of other runs stay out. */
function machineEnv(): NodeJS.ProcessEnv {
  const ours = /^(SLUICE_|DATABASE_URL$|REDIS_URL$|TEST_|BENCH_|VITEST|NODE_OPTIONS$)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)));
}

async function ready(child: ChildProcess, url: string, withinMs: number): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (performance.now() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error('The gateway ended before it was ready.');
    const answer = await fetch(`${url}/health/ready`).catch(() => undefined);
    if (answer?.ok) return;
    await sleep(25);
  }
  throw new Error(`The gateway was not ready within ${withinMs} ms.`);
}

async function end(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  const hard = setTimeout(() => child.kill('SIGKILL'), 15_000);
  await exit;
  clearTimeout(hard);
  return child.exitCode;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('There is no free port.');
  return address.port;
}
