import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { createLog } from '../../src/core/log.js';
import { startEmbeddedPostgres } from '../../src/store/embedded-postgres.js';
import { migrate } from '../../src/store/migrate.js';
import { bundleFolder, bundleSluice } from './bundle.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** A database of the run's Postgres from which others can be created. */
    databaseServerUrl: string;
    /** Name of the migrated database that every test file gets a copy of. */
    databaseTemplate: string;
    /** What CREATE DATABASE is to be told besides; quicker on a server of our own. */
    createDatabaseOptions: string;
    redisUrl: string;
    /** Sluice itself, for processes of their own. */
    sluiceMain: string;
  }
}

const quiet = createLog('error');

/** The given server, or one of our own in a folder that does not outlive the run. */
async function bootPostgres(given: string | undefined): Promise<{ url: string; stop(): Promise<void> }> {
  if (given) return { url: given, stop: async () => {} };
  const home = await mkdtemp(join(tmpdir(), 'sluice-test-postgres-'));
  // As root the server runs as the OS user postgres, who has to get to its data.
  await chmod(home, 0o755);
  const server = await startEmbeddedPostgres({ home, log: quiet, durable: false });
  return {
    url: server.url,
    async stop() {
      await server.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
}

async function onServer<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** The template and every copy of it that a test did not drop, so that a given server is left as it was. */
const dropDatabases = (url: string, template: string) =>
  onServer(url, async (client) => {
    const ours = 'SELECT datname AS name FROM pg_database WHERE starts_with(datname, $1)';
    const { rows } = await client.query<{ name: string }>(ours, [template]);
    for (const { name } of rows) await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  });

/** One Postgres for the whole run, migrated once. `npm test` provides Redis, and what vitest alone is not given. */
export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const redisUrl = process.env.TEST_REDIS_URL;
  if (!redisUrl)
    throw new Error('TEST_REDIS_URL is not set: run the tests with npm test, which starts a Redis for them.');
  const folder = bundleFolder('test');
  provide('sluiceMain', await bundleSluice(folder, { mortal: 'support/run-mortal.ts' }));
  const server = await bootPostgres(process.env.TEST_DATABASE_URL);
  const template = `sluice_test_${process.pid}_${Date.now().toString(36)}`;
  try {
    await onServer(server.url, (client) => client.query(`CREATE DATABASE ${template}`));
    const url = new URL(server.url);
    url.pathname = `/${template}`;
    await migrate(url.href, { log: quiet });
  } catch (error) {
    await server.stop();
    throw error;
  }
  provide('databaseServerUrl', server.url);
  provide('databaseTemplate', template);
  // Copying files takes 0.15 s where writing them to the WAL takes 0.4 s, but it needs PostgreSQL 15, and two checkpoints,
  // which are cheap only without fsync.
  provide('createDatabaseOptions', process.env.TEST_DATABASE_URL ? '' : 'STRATEGY file_copy');
  provide('redisUrl', redisUrl);
  return async () => {
    await dropDatabases(server.url, template);
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  };
}
