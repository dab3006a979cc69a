import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ChildEnded, machineEnv, startChild } from './child-process.mjs';

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

/**
 * Starts the built gateway on a free port with an embedded PostgreSQL below `home`, its log in a file. It may call the
 * webhooks of agents on this machine.
 *
 * `died` rejects when the gateway ends without having been told to.
 *
 * @returns {Promise<{ url: string, log: string, ready: () => Promise<void>, died: Promise<never>, stop: () => Promise<void> }>}
 */
export async function startGateway({ root, home, dataDir }) {
  mkdirSync(home, { recursive: true });
  const port = await freePort();
  const log = join(home, 'gateway.log');
  const main = join(root, 'dist', 'src', 'main.js');
  const env = {
    SLUICE_HOME: home,
    SLUICE_PORT: String(port),
    SLUICE_DATA_DIRS: dataDir,
    SLUICE_WEBHOOK_ALLOW: '127.0.0.1',
  };
  const child = startChild({ name: 'The gateway', args: [main, 'serve'], cwd: root, env, log });
  const url = `http://127.0.0.1:${port}`;

  let stopped;
  async function stop() {
    const isOrphaned = child.isGone();
    await child.stop();
    if (!isOrphaned) return;
    // A gateway that was killed leaves its PostgreSQL behind: this command finds it, and ends it in order.
    const options = { cwd: root, env: { ...machineEnv(), ...env }, stdio: 'ignore', timeout: STOP_WITHIN_MS };
    spawnSync(process.execPath, [main, 'migrate'], options);
  }

  return {
    url,
    log,
    died: child.died,
    async ready() {
      const end = performance.now() + READY_WITHIN_MS;
      while (performance.now() < end) {
        if (child.isGone()) throw new ChildEnded('The gateway ended while it was starting.', log);
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
