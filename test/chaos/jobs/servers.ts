import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import pg from 'pg';
import { createLog } from '../../../src/core/log.js';
import { startEmbeddedPostgres } from '../../../src/store/embedded-postgres.js';
import { migrate } from '../../../src/store/migrate.js';
import { createPool, type Pool } from '../../../src/store/pool.js';
import { eventually } from '../../support/eventually.js';
import { freePort } from '../../support/gateway-process.js';
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.js';

export type QueueEngine = 'redis' | 'postgres';

/** Servers of the run's own, which it may break. */
export interface Servers {
  /** Past the proxy. */
  readonly databaseUrl: string;
  /** Another database of the same server, a connection that sinks write to. */
  readonly warehouseUrl: string;
  /** Between the processes and the database. */
  readonly proxy: TcpProxy;
  readonly pool: Pool;
  readonly warehouse: Pool;
  /** Undefined when the queue is on PostgreSQL. */
  readonly redis: OwnRedis | undefined;
  killPostgres(): void;
  close(): Promise<void>;
}

interface OwnRedis {
  readonly url: string;
  flush(): Promise<void>;
  /** Hints that wait or are handled. */
  hints(): Promise<number>;
  /** Ends it without a word, and starts an empty one in its place. */
  replace(): Promise<void>;
}

/** @param folder an empty one */
export async function startServers(folder: string, engine: QueueEngine): Promise<Servers> {
  const home = join(folder, 'postgres');
  await mkdir(home);
  // As root the server runs as another user, who has to pass.
  for (const path of [folder, home]) await chmod(path, 0o755);
  const log = createLog('silent');
  const postgres = await startEmbeddedPostgres({ home, log });
  await migrate(postgres.url, { log });
  const warehouseUrl = new URL(postgres.url);
  warehouseUrl.pathname = '/warehouse';
  const pool = createPool(postgres.url, { max: 5, applicationName: 'sluice chaos' });
  await pool.query('create database warehouse');
  const warehouse = createPool(warehouseUrl.href, { max: 2, applicationName: 'sluice chaos' });
  const proxy = await startTcpProxy(postgres.url);
  const redis = engine === 'redis' ? await startRedis(folder) : undefined;
  return {
    databaseUrl: postgres.url,
    warehouseUrl: warehouseUrl.href,
    proxy,
    pool,
    warehouse,
    redis,
    killPostgres: () => process.kill(postgres.pid, 'SIGKILL'),
    async close() {
      await redis?.stop();
      await proxy.close();
      await Promise.all([pool.end(), warehouse.end()]);
      await postgres.stop();
    },
  };
}

async function startRedis(folder: string): Promise<OwnRedis & { stop(): Promise<void> }> {
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no'];
  const url = `redis://127.0.0.1:${port}`;
  let server: ChildProcess;
  const start = async () => {
    server = spawn('redis-server', args, { stdio: 'ignore' });
    process.once('exit', () => server.kill('SIGKILL'));
    await eventually(() => asks(url, (client) => client.ping()).then(Boolean, () => false), 20_000);
  };
  const stop = async () => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, 'exit');
    server.kill('SIGKILL');
    await ended;
  };
  await start();
  return {
    url,
    stop,
    flush: async () => void (await asks(url, (client) => client.flushall())),
    hints: () => asks(url, countHints),
    async replace() {
      await stop();
      await start();
    },
  };
}

/** As BullMQ keeps them. */
async function countHints(client: Redis): Promise<number> {
  const [waiting, active, byPriority] = await Promise.all(
    ['wait', 'active', 'prioritized'].map((list) => client.keys(`*:${list}`)),
  );
  const lists = [...(waiting ?? []), ...(active ?? [])].map((key) => client.llen(key));
  const counts = await Promise.all([...lists, ...(byPriority ?? []).map((key) => client.zcard(key))]);
  return counts.reduce((sum, count) => sum + count, 0);
}

async function asks<T>(url: string, work: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await work(client);
  } finally {
    client.disconnect();
  }
}

/** Takes every connection that the server has left, until it is called back. */
export async function exhaustConnections(url: string): Promise<() => Promise<void>> {
  const held: pg.Client[] = [];
  for (;;) {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => undefined);
    const isIn = await client.connect().then(
      () => true,
      () => false,
    );
    if (!isIn) break;
    held.push(client);
  }
  return async () => void (await Promise.allSettled(held.map((client) => client.end())));
}
