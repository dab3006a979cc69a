import type { LoadLedger } from '../jobs/stores.js';

// "sluice" and "ledger" in ASCII; serialises the first use by several workers.
const LOCK_KEYS = [0x736c7569, 0x6c656467] as const;

/** Tables of Sluice in a database that is not its own: nothing but this ledger, made when it is first needed. */
export function createLoadLedger(): LoadLedger {
  return {
    async once(client, jobId, entry, load) {
      const { rows: found } = await client.query<{ present: boolean }>(
        `select to_regclass('sluice_ledger.load') is not null as present`,
      );
      if (!found[0]?.present) {
        // CREATE ... IF NOT EXISTS alone fails when two do it at once.
        await client.query('select pg_advisory_xact_lock($1, $2)', [...LOCK_KEYS]);
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
        return Number(rows[0]?.rows ?? 0);
      }
      const loaded = await load();
      await client.query('update sluice_ledger.load set rows = $3 where job_id = $1 and entry = $2', [
        jobId,
        entry,
        loaded,
      ]);
      return loaded;
    },

    async forget(client, jobId) {
      const { rows } = await client.query<{ present: boolean }>(
        `select to_regclass('sluice_ledger.load') is not null as present`,
      );
      if (rows[0]?.present) await client.query('delete from sluice_ledger.load where job_id = $1', [jobId]);
    },
  };
}
