import type { Pool } from '../../../src/store/pool.js';

/** A row of sluice.notification, as far as it is judged. */
export interface OutboxRow {
  readonly id: string;
  readonly round: number;
  readonly step: number;
  readonly agent: string;
  readonly purpose: 'ASK' | 'TELL';
  readonly state: 'PENDING' | 'DELIVERED' | 'DEAD';
  readonly created_at: Date;
  readonly last_error: string | null;
}

export async function readOutbox(pool: Pool, tenant: string, escalationId: string): Promise<readonly OutboxRow[]> {
  const { rows } = await pool.query<OutboxRow>(
    `select id, round, step, agent, purpose, state, created_at, last_error from sluice.notification
     where tenant = $1 and escalation_id = $2 order by round, step, agent`,
    [tenant, escalationId],
  );
  return rows;
}
