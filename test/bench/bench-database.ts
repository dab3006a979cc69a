import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { createLog } from '../../src/core/log.js';
import { startEmbeddedPostgres } from '../../src/store/embedded-postgres.js';

export interface BenchDatabase {
  readonly url: string;
  readonly client: Client;
  /** Whose server it is, for the table. */
  readonly name: string;
  close(): Promise<void>;
}

/**
 * A database of its own for the run: on the given server, else on an embedded one. Dropped at the end.
 * @param switches settings that an embedded server is started with switched on
 */
export async function openBenchDatabase(
  given: string | undefined,
  switches: readonly string[] = [],
): Promise<BenchDatabase> {
  const server = given === undefined ? await embedded(switches) : { url: given, stop: async () => {} };
  const database = `sluice_bench_${process.pid}`;
  const admin = new Client({ connectionString: server.url });
  await admin.connect();
  await admin.query(`create database ${database}`);
  const url = new URL(server.url);
  url.pathname = `/${database}`;
  const client = new Client({ connectionString: url.href });
  await client.connect();
  const { rows } = await client.query<{ version: string }>("select current_setting('server_version') as version");
  return {
    url: url.href,
    client,
    name: `PostgreSQL ${rows[0]?.version} (${given === undefined ? 'embedded' : 'given'})`,
    async close() {
      await client.end();
      await admin.query(`drop database if exists ${database} with (force)`);
      await admin.end();
      await server.stop();
    },
  };
}

async function embedded(switches: readonly string[]): Promise<{ url: string; stop(): Promise<void> }> {
  const home = await mkdtemp(join(tmpdir(), 'sluice-bench-postgres-'));
  // As root the server runs as the OS user postgres, who has to get to its data.
  await chmod(home, 0o755);
  const options = { home, log: createLog('error') };
  let server = await startEmbeddedPostgres(options);
  if (switches.length > 0) {
    await switchOn(server.url, switches);
    // Some are read at the start alone.
    await server.stop();
    server = await startEmbeddedPostgres(options);
  }
  return {
    url: server.url,
    async stop() {
      await server.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
}

async function switchOn(url: string, settings: readonly string[]): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  for (const setting of settings) await client.query(`alter system set ${client.escapeIdentifier(setting)} = on`);
  await client.end();
}
