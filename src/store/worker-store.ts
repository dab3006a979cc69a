import type { WorkerStore } from '../jobs/monitors/ports.js';
import type { Pool } from './pool.js';

export function createWorkerStore(pool: Pool): WorkerStore {
  return {
    async seen({ id, slots, busy }) {
      await pool.query(
        `insert into sluice.worker as worker (id, slots, busy) values ($1, $2, $3)
         on conflict (id) do update set slots = excluded.slots, busy = excluded.busy, seen_at = statement_timestamp()`,
        [id, slots, busy],
      );
    },
    async gone(id) {
      await pool.query('delete from sluice.worker where id = $1', [id]);
    },
  };
}
