import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from '../../../src/store/pool.js';

const LOOK_MS = 100;

/** What still has to happen by itself, and how much has happened. */
async function look(pool: Pool): Promise<{ readonly waiting: number; readonly rows: number }> {
  const { rows } = await pool.query<{ waiting: number; rows: number }>(
    `select (select count(*) from sluice.failure_report where not done)::int
       + (select count(*) from sluice.escalation where due_at is not null and status <> 'RESOLVED')::int
       + (select count(*) from sluice.escalation where status = 'DECIDED')::int
       + (select count(*) from sluice.notification where state = 'PENDING')::int
       + (select count(*) from sluice.target_pause as pause join sluice.escalation on escalation.id = pause.escalation_id
          where escalation.status = 'RESOLVED')::int as waiting,
       (select sum(seq) from sluice.escalation_log_head)::int as rows`,
  );
  return rows[0] ?? { waiting: 0, rows: 0 };
}

/** Waits until nothing has to happen any more, or nothing happens although it has to. */
export async function settled(pool: Pool, patienceMs: number): Promise<void> {
  let last = await look(pool);
  let since = performance.now();
  while (last.waiting > 0 && performance.now() - since < patienceMs) {
    await sleep(LOOK_MS);
    const now = await look(pool);
    if (now.rows !== last.rows || now.waiting !== last.waiting) since = performance.now();
    last = now;
  }
}
