import type { LoadLedger, SinkClient } from '../jobs/stores.js';

// "sluice" and "ledger" in ASCII; serialises the first use by several workers.
const LOCK_KEYS = [0x736c7569, 0x6c656467] as const;

/**
 * Reads the catalogue itself. `to_regclass` asks the cache of the session, which may go on denying, after the wait for the
 * lock, what somebody else has made meanwhile; CREATE ... IF NOT EXISTS then fails, for it asks the same cache.
 */
async function isPresent(client: SinkClient): Promise<boolean> {
  const { rows } = await client.query<{ present: boolean }>(
    `select exists (select from pg_catalog.pg_class as class
       join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
       where namespace.nspname = 'sluice_ledger' and class.relname = 'load') as present`,
  );
  return rows[0]?.present === true;
}

async function makeOnce(client: SinkClient): Promise<void> {
  if (await isPresent(client)) return;
  // CREATE ... IF NOT EXISTS alone fails when two do it at once.
  await client.query('select pg_advisory_xact_lock($1, $2)', [...LOCK_KEYS]);
  if (await isPresent(client)) return;
  await client.query('create schema if not exists sluice_ledger');
  await client.query(
    `create table if not exists sluice_ledger.load (
       job_id uuid not null,
       entry integer not null,
       rows bigint,
       loaded_at timestamptz not null default statement_timestamp(),
       primary key (job_id, entry)
     )`,
  );
}

/** Tables of Sluice in a database that is not its own: nothing but this ledger, made when it is first needed. */
export function createLoadLedger(): LoadLedger {
  return {
    async once(client, jobId, entry, load) {
      await makeOnce(client);
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

    async forget(client, jobId) {
      if (await isPresent(client)) await client.query('delete from sluice_ledger.load where job_id = $1', [jobId]);
    },
  };
}
