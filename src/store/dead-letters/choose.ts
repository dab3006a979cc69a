import { isId } from '../../core/ids.js';
import {
  type DeadLetterSelection,
  MOST_REFUSALS,
  MOST_TAKEN,
  type RefusedDeadLetter,
  type Taken,
} from '../../jobs/dead-letters/ports.js';
import type { JobState } from '../../jobs/job.js';
import type { PartEffect } from '../../jobs/stores.js';
import type { PoolClient } from '../pool.js';
import { whereOf } from './where.js';

/** A dead job whose row is locked, with what it left. */
export interface ChosenJob {
  readonly id: string;
  readonly state: JobState;
  readonly isEvaluated: boolean;
  readonly isPrepared: boolean;
  readonly partEffect: PartEffect | null;
  readonly isLoaded: boolean;
  /** Of its sink; null when that has none. */
  readonly connection: string | null;
  /** Whether its source was the quarantine of another job; its rows went back when it died. */
  readonly isReplay: boolean;
}

export interface Chosen {
  /** In the order in which they died. */
  readonly jobs: readonly ChosenJob[];
  readonly refused: readonly RefusedDeadLetter[];
  readonly remaining: number;
}

// A job whose rows are being removed is as good as cancelled.
const COLUMNS = `job.id, case when job.rollback_requested then 'CANCELLED' else job.state end as state, job.chunks_total is not null as "isEvaluated", job.prepared is not null as "isPrepared",
  job.part_effect as "partEffect", job.rows_loaded > 0 as "isLoaded",
  (select sink.value ->> 'connection' from jsonb_each(job.spec -> 'sink') as sink limit 1) as connection,
  job.replay_of is not null as "isReplay"`;

/** Everybody who takes several takes them in this order, so that nobody waits in a circle. */
const ORDER = 'order by job.finished_at, job.id';

/** Locks the jobs for the transaction, waiting for whoever has one of them in hand. */
export async function chooseDeadLetters(
  client: PoolClient,
  tenant: string,
  selection: DeadLetterSelection,
): Promise<Chosen> {
  if ('filter' in selection) {
    const { sql: where, values } = whereOf(tenant, selection.filter);
    const sql = `${where} and not job.rollback_requested`;
    const counted = await client.query<{ total: bigint }>(
      `select count(*) as total from sluice.job as job where ${sql}`,
      [...values],
    );
    const { rows } = await client.query<ChosenJob>(
      `select ${COLUMNS} from sluice.job as job where ${sql} ${ORDER} limit ${MOST_TAKEN} for update`,
      [...values],
    );
    const total = Number(counted.rows[0]?.total ?? 0);
    return { jobs: rows, refused: [], remaining: rows.length < MOST_TAKEN ? 0 : Math.max(0, total - MOST_TAKEN) };
  }
  // PostgreSQL refuses to compare a uuid with anything else, and writes it in small letters.
  const ids = selection.ids.filter(isId).map((id) => id.toLowerCase());
  const { rows } = await client.query<ChosenJob>(
    `select ${COLUMNS} from sluice.job as job where job.tenant = $1 and job.id = any($2::uuid[]) ${ORDER} for update`,
    [tenant, ids],
  );
  const found = new Map(rows.map((job) => [job.id, job.state]));
  const refused = selection.ids.flatMap((jobId): RefusedDeadLetter[] => {
    const state = found.get(jobId.toLowerCase());
    if (state === 'DEAD') return [];
    return [{ jobId, reason: state === undefined ? 'NOT_FOUND' : 'NOT_DEAD' }];
  });
  return { jobs: rows.filter(({ state }) => state === 'DEAD'), refused, remaining: 0 };
}

export const takenOf = (taken: number, refused: readonly RefusedDeadLetter[], remaining: number): Taken => ({
  taken,
  refusedCount: refused.length,
  refused: refused.slice(0, MOST_REFUSALS),
  remaining,
});
