// The Redis of a test run: a given one, else a throw-away server of our own, installed from Debian when there is none.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { refuse } from './bootstrap.mjs';

const MISSING =
  'The tests need Redis: install a redis-server (Debian and Ubuntu: apt-get install redis-server; macOS: brew install redis) or set REDIS_URL.';

const hasRedisServer = () => spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status === 0;

function isDebianRoot() {
  if (process.getuid?.() !== 0 || !existsSync('/etc/os-release')) return false;
  return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(readFileSync('/etc/os-release', 'utf8'));
}

/** Makes sure that `redis-server` can be run. The package's own service is not started: its port may be in use. */
export function installRedis() {
  if (hasRedisServer()) return;
  if (!isDebianRoot()) refuse(MISSING);
  process.stderr.write('Installing the package redis-server with apt-get, because the tests need Redis...\n');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const options = { env, stdio: ['ignore', 'ignore', 2] };
  spawnSync('apt-get', ['update', '-qq'], options);
  spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'redis-server'], options);
  if (!hasRedisServer()) refuse(`apt-get could not install redis-server. ${MISSING}`);
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

function answers(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    const end = (yes) => {
      socket.destroy();
      resolve(yes);
    };
    socket.once('data', (data) => end(data.toString().startsWith('+PONG')));
    socket.once('error', () => end(false));
  });
}

async function startRedis() {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-redis-'));
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no'];
  // Its own process group: Ctrl-C must reach the tests first, which end it when they are done with it.
  const server = spawn('redis-server', [...args, '--maxmemory-policy', 'noeviction'], {
    stdio: 'ignore',
    detached: true,
  });
  const stop = () => {
    server.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', stop);
  for (let tries = 0; tries < 500 && server.exitCode === null; tries++) {
    if (await answers(port)) return { url: `redis://127.0.0.1:${port}`, stop };
    await sleep(20);
  }
  stop();
  return refuse('A redis-server was started for the tests but does not answer: try `redis-server --port 0` by hand.');
}

/** @returns {Promise<{ url: string, stop: () => void }>} */
export async function provideRedis(given) {
  if (given) return { url: given, stop: () => {} };
  installRedis();
  return startRedis();
}
