import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, inject } from 'vitest';
import { createPool, type Pool } from '../../src/store/pool.js';

export interface TestDatabase {
  readonly url: string;
  readonly pool: Pool;
}

/** Runs SQL on the server of the run, outside of any test's database: CREATE DATABASE, CREATE ROLE and the like. */
export async function onServer(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: inject('databaseServerUrl') });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** The URL of another database on the server of the run. */
export function urlOfDatabase(name: string): string {
  const url = new URL(inject('databaseServerUrl'));
  url.pathname = `/${name}`;
  return url.href;
}

async function createDatabase(template: string): Promise<TestDatabase> {
  const name = `${inject('databaseTemplate')}_${randomBytes(5).toString('hex')}`;
  await onServer(`CREATE DATABASE ${name} TEMPLATE ${template} ${inject('createDatabaseOptions')}`);
  const url = urlOfDatabase(name);
  const pool = createPool(url, { max: 10, applicationName: 'sluice test' });
  afterAll(async () => {
    await pool.end();
    // FORCE: what a test killed on purpose may still hold its connection for a moment.
    await onServer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  });
  return { url, pool };
}

/**
 * A migrated database for the test file (or describe block) that calls this in `beforeAll`; dropped after it.
 * Takes some 0.2 s. Pools of the test's own must be ended before.
 */
export const freshDatabase = (): Promise<TestDatabase> => createDatabase(inject('databaseTemplate'));

/** The same without any migration. */
export const emptyDatabase = (): Promise<TestDatabase> => createDatabase('template0');
