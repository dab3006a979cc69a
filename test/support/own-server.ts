import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { createLog } from '../../src/core/log.js';
import { startEmbeddedPostgres } from '../../src/store/embedded-postgres.js';
import { migrate } from '../../src/store/migrate.js';
import { createPool } from '../../src/store/pool.js';
import type { TestDatabase } from './database.js';

export interface OwnServer extends TestDatabase {
  /** Ends the server without a word; it is started again, as it is for everybody, under the same URL. */
  kill(): void;
}

/** A PostgreSQL of the test file's own, that keeps what was committed. Call in `beforeAll`; takes some seconds. */
export async function ownServer(): Promise<OwnServer> {
  const log = createLog('silent');
  const home = await mkdtemp(join(tmpdir(), 'sluice-own-server-'));
  // As root the server runs as another user, who has to pass.
  await chmod(home, 0o755);
  const server = await startEmbeddedPostgres({ home, log });
  await migrate(server.url, { log });
  const pool = createPool(server.url, { max: 10, applicationName: 'sluice test' });
  afterAll(async () => {
    await pool.end();
    await server.stop();
    await rm(home, { recursive: true, force: true });
  });
  return { url: server.url, pool, kill: () => process.kill(server.pid, 'SIGKILL') };
}
