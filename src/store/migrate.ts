import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { SluiceError } from '../core/errors.js';
import type { Log } from '../core/log.js';
import { refusalOf } from './database-refusal.js';

/** One numbered file; never edited once it has landed. */
export interface Migration {
  readonly number: number;
  /** `0001_jobs` */
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

// Any constant will do, as long as every Sluice uses the same: "sluice" in ASCII.
const LOCK_KEY = 0x736c75696365;

const OLDEST_SERVER = 140_000;

/** The migrations beside this file: in src/ and, copied by the build, in dist/. */
const OURS = fileURLToPath(new URL('./migrations', import.meta.url));

export async function readMigrations(folder = OURS): Promise<readonly Migration[]> {
  const names = (await readdir(folder)).filter((name) => /^\d{4}_.+\.sql$/.test(name)).sort();
  return Promise.all(
    names.map(async (file) => {
      const sql = await readFile(join(folder, file), 'utf8');
      // A checkout with CRLF line ends is still the same migration.
      const checksum = createHash('sha256').update(sql.replaceAll('\r\n', '\n')).digest('hex');
      return { number: Number(file.slice(0, 4)), name: file.slice(0, -'.sql'.length), sql, checksum };
    }),
  );
}

async function refuseOldServer(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ number: string; version: string }>(
    `SELECT current_setting('server_version_num') AS number, current_setting('server_version') AS version`,
  );
  const [server] = rows;
  if (server !== undefined && Number(server.number) >= OLDEST_SERVER) return;
  throw new SluiceError(
    'DATABASE_TOO_OLD',
    `Sluice needs PostgreSQL 14 or newer, and this server is version ${server?.version ?? 'unknown'}: upgrade it, or unset DATABASE_URL to use the embedded one.`,
  );
}

interface Landed {
  readonly number: number;
  readonly name: string;
  readonly checksum: string;
}

async function readLanded(client: pg.Client): Promise<readonly Landed[]> {
  // Not CREATE ... IF NOT EXISTS: that needs the right to create schemas even where an administrator made this one.
  const { rows } = await client.query<{ present: boolean }>(`SELECT to_regnamespace('sluice') IS NOT NULL AS present`);
  if (!rows[0]?.present) await client.query('CREATE SCHEMA sluice');
  await client.query(`
    CREATE TABLE IF NOT EXISTS sluice.migration (
      number integer PRIMARY KEY,
      name text NOT NULL,
      checksum text NOT NULL,
      applied_at timestamptz NOT NULL DEFAULT now()
    )`);
  return (await client.query<Landed>('SELECT number, name, checksum FROM sluice.migration ORDER BY number')).rows;
}

function refuseForeignHistory(landed: readonly Landed[], migrations: readonly Migration[]): void {
  for (const { number, name, checksum } of landed) {
    const ours = migrations.find((migration) => migration.number === number);
    if (ours === undefined) {
      throw new SluiceError(
        'DATABASE_TOO_NEW',
        `The database was migrated by a newer Sluice (it has ${name}, which this one does not know): upgrade this Sluice or use another database.`,
      );
    }
    if (ours.checksum !== checksum) {
      throw new SluiceError(
        'MIGRATION_CHANGED',
        `The migration ${name} has run in this database and was edited since (now ${ours.name}): restore the file and put the change into a new migration.`,
      );
    }
  }
}

async function apply(client: pg.Client, { number, name, sql, checksum }: Migration): Promise<void> {
  await client.query('BEGIN');
  try {
    await client.query(sql);
    await client.query('INSERT INTO sluice.migration (number, name, checksum) VALUES ($1, $2, $3)', [
      number,
      name,
      checksum,
    ]);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}

export interface MigrateOptions {
  readonly log: Log;
  readonly migrations?: readonly Migration[];
}

/**
 * Brings schema `sluice` up to date, each migration in a transaction of its own. Safe to run from many processes at
 * once: an advisory lock lets one work while the others wait, and then find nothing to do.
 *
 * @returns the names of the migrations that this call applied
 * @throws SluiceError DATABASE_UNREACHABLE, DATABASE_TOO_OLD, DATABASE_TOO_NEW, MIGRATION_CHANGED
 */
export async function migrate(url: string, { log, migrations }: MigrateOptions): Promise<readonly string[]> {
  const wanted = migrations ?? (await readMigrations());
  // A client of its own: the lock belongs to the session, and ends with it even when this process is killed.
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 10_000,
    application_name: 'sluice migrate',
  });
  // A connection that breaks also fails the query in flight, which is where it is reported.
  client.on('error', () => undefined);
  const applied: string[] = [];
  try {
    await client.connect();
    await refuseOldServer(client);
    await client.query('SELECT pg_advisory_lock($1)', [LOCK_KEY]);
    const landed = await readLanded(client);
    refuseForeignHistory(landed, wanted);
    for (const migration of wanted) {
      if (landed.some(({ number }) => number === migration.number)) continue;
      await apply(client, migration);
      log.info({ migration: migration.name }, `migrated the database: ${migration.name}`);
      applied.push(migration.name);
    }
    return applied;
  } catch (error) {
    throw refusalOf(error, url);
  } finally {
    await client.end().catch(() => undefined);
  }
}
