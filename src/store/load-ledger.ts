import { type LoadLedger, PUBLICATION } from '../jobs/load-ledger.js';
import type { SinkClient } from '../jobs/stores.js';

// "sluice" and "ledger" in ASCII; serialises the first use by several workers.
const LOCK_KEYS = [0x736c7569, 0x6c656467] as const;

const TABLES = {
  load: `
    job_id uuid not null,
    entry integer not null,
    rows bigint,
    loaded_at timestamptz not null default statement_timestamp(),
    primary key (job_id, entry)`,
  // What sluice.load is at home.
  complete_load: `
    load_id uuid primary key,
    tenant text not null,
    job_name text not null,
    connection text not null,
    target_schema text not null,
    target_table text not null,
    mode text not null,
    rows bigint not null,
    finished_at timestamptz not null default statement_timestamp()`,
} as const;
type Table = keyof typeof TABLES;

/** Entry that stands for the removal of a job's rows, with how many they were. While it is there the others stay. */
const WITHDRAWAL = -2;

/**
 * Reads the catalogue itself. `to_regclass` asks the cache of the session, which may go on denying, after the wait for the
 * lock, what somebody else has made meanwhile; CREATE ... IF NOT EXISTS then fails, for it asks the same cache.
 */
async function isPresent(client: SinkClient, table: Table): Promise<boolean> {
  const { rows } = await client.query<{ present: boolean }>(
    `select exists (select from pg_catalog.pg_class as class
       join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
       where namespace.nspname = 'sluice_ledger' and class.relname = $1) as present`,
    [table],
  );
  return rows[0]?.present === true;
}

async function makeOnce(client: SinkClient, table: Table): Promise<void> {
  if (await isPresent(client, table)) return;
  // CREATE ... IF NOT EXISTS alone fails when two do it at once.
  await client.query('select pg_advisory_xact_lock($1, $2)', [...LOCK_KEYS]);
  if (await isPresent(client, table)) return;
  await client.query('create schema if not exists sluice_ledger');
  await client.query(`create table if not exists sluice_ledger.${table} (${TABLES[table]})`);
}

/** Columns of a complete load, in both places. */
const COMPLETE = 'load_id, tenant, job_name, connection, target_schema, target_table, mode, rows';

/** Tables of Sluice in a database that is not its own: nothing but these, made when they are first needed. */
export function createLoadLedger(): LoadLedger {
  return {
    async once(client, jobId, entry, load) {
      await makeOnce(client, 'load');
      // Waits for a transaction that loads the same entry, and then sees whether it was committed.
      const { rowCount } = await client.query(
        'insert into sluice_ledger.load (job_id, entry) values ($1, $2) on conflict do nothing',
        [jobId, entry],
      );
      if (rowCount === 0) {
        const { rows } = await client.query<{ rows: string | bigint | null }>(
          'select rows from sluice_ledger.load where job_id = $1 and entry = $2',
          [jobId, entry],
        );
        return { rows: Number(rows[0]?.rows ?? 0), recheck: null };
      }
      const loaded = await load();
      await client.query('update sluice_ledger.load set rows = $3 where job_id = $1 and entry = $2', [
        jobId,
        entry,
        loaded.rows,
      ]);
      return loaded;
    },

    async withdraw(client, jobId, entries, remove) {
      await makeOnce(client, 'load');
      // Longer than that it is better tried again than waited for.
      await client.query(`set local lock_timeout = '10s'`);
      // As if all of it were loaded, so that nobody loads any of it. Waits for transactions that load one of the entries;
      // what they have committed, the statements behind this one see.
      await client.query(
        `insert into sluice_ledger.load (job_id, entry)
         select $1, entry from generate_series($3::integer, $2::integer - 1) as entry order by entry on conflict do nothing`,
        [jobId, entries, PUBLICATION],
      );
      const removed = await remove();
      if (await isPresent(client, 'complete_load'))
        await client.query('delete from sluice_ledger.complete_load where load_id = $1', [jobId]);
      const { rows } = await client.query<{ rows: string | bigint }>(
        `insert into sluice_ledger.load as entry (job_id, entry, rows) values ($1, $2, $3)
         on conflict (job_id, entry) do update set rows = entry.rows + excluded.rows returning rows`,
        [jobId, WITHDRAWAL, removed],
      );
      return Number(rows[0]?.rows ?? removed);
    },

    async complete(client, load, isSystem) {
      if (!isSystem) await makeOnce(client, 'complete_load');
      const { jobId, tenant, name, connection, target, rows } = load;
      await client.query(
        `insert into ${isSystem ? 'sluice.load' : 'sluice_ledger.complete_load'} (${COMPLETE})
         values ($1, $2, $3, $4, $5, $6, $7, $8)`,
        [jobId, tenant, name, connection, target.schema, target.table, target.mode, rows],
      );
    },

    async forget(client, jobId) {
      if (!(await isPresent(client, 'load'))) return;
      await client.query(
        `delete from sluice_ledger.load where job_id = $1
           and not exists (select from sluice_ledger.load as withdrawn where withdrawn.job_id = $1 and withdrawn.entry = $2)`,
        [jobId, WITHDRAWAL],
      );
    },
  };
}
