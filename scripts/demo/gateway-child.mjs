import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const READY_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 15_000;

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** What the demonstration sets must not mix with what this machine has set for a gateway of its own. */
const machineEnv = () =>
  Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(SLUICE_.*|DATABASE_URL|REDIS_URL)$/.test(name)),
  );

/**
 * Starts the built gateway on a free port with an embedded PostgreSQL below `home`, its log in a file.
 *
 * `died` rejects when the gateway ends without having been told to.
 *
 * @returns {Promise<{ url: string, log: string, ready: () => Promise<void>, died: Promise<never>, stop: () => Promise<void> }>}
 */
export async function startGateway({ root, home, dataDir }) {
  mkdirSync(home, { recursive: true });
  const port = await freePort();
  const log = join(home, 'gateway.log');
  const output = openSync(log, 'w');
  const main = join(root, 'dist', 'src', 'main.js');
  const options = {
    cwd: root,
    env: { ...machineEnv(), SLUICE_HOME: home, SLUICE_PORT: String(port), SLUICE_DATA_DIRS: dataDir },
    stdio: ['ignore', output, output],
    // Its own process group: Ctrl-C in the terminal reaches us alone, and we stop the gateway in order.
    detached: true,
  };
  const child = spawn(process.execPath, [main, 'serve'], options);
  const exited = new Promise((resolve) => child.once('exit', resolve).once('error', resolve));
  const isGone = () => child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
  // However this process ends, the gateway gets its signal.
  process.once('exit', () => {
    if (!isGone()) child.kill('SIGTERM');
  });
  let isStopping = false;
  const died = exited.then(() => {
    if (!isStopping) throw new Error('The gateway has ended unexpectedly.');
    return new Promise(() => {});
  });
  // Whoever does not wait for it has another way to notice.
  died.catch(() => {});
  const url = `http://127.0.0.1:${port}`;

  let stopped;
  async function stop() {
    const isOrphaned = isGone();
    isStopping = true;
    child.kill('SIGTERM');
    const hard = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
    await exited;
    clearTimeout(hard);
    // A gateway that was killed leaves its PostgreSQL behind: this command finds it, and ends it in order.
    if (isOrphaned) spawnSync(process.execPath, [main, 'migrate'], { ...options, timeout: STOP_WITHIN_MS });
    closeSync(output);
  }

  return {
    url,
    log,
    died,
    async ready() {
      const end = performance.now() + READY_WITHIN_MS;
      while (performance.now() < end) {
        if (isGone()) throw new Error('The gateway ended while it was starting.');
        const answer = await fetch(`${url}/health/ready`).catch(() => undefined);
        if (answer?.ok) return;
        await sleep(50);
      }
      throw new Error(`The gateway was not ready within ${READY_WITHIN_MS / 1000} seconds.`);
    },
    stop() {
      stopped ??= stop();
      return stopped;
    },
  };
}
