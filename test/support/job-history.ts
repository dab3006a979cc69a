import { newId } from '../../src/core/ids.js';
import type { Pool } from '../../src/store/pool.js';

/** What became of a job. */
export interface Told {
  /** State, and how many seconds ago. */
  readonly states: readonly (readonly [string, number])[];
  readonly tenant?: string;
  readonly attempt?: number;
  readonly rows?: number;
  /** Rows that the counters of the job miss. */
  readonly missing?: number;
  /** Rows of the committed part; those of the job unless given. */
  readonly committed?: number;
  /** Rows that were read back from the target, and those of them that differ; missing when nothing had to be. */
  readonly rechecked?: number;
  readonly differing?: number;
  readonly code?: string;
  readonly failureClass?: string;
}

/** A job with this history, as workers leave it. @returns its id */
export async function insertJob(
  pool: Pool,
  { states, rows = 0, missing = 0, committed = rows, attempt = 1, ...more }: Told,
): Promise<string> {
  const id = newId();
  const [first, last] = [states.at(0), states.at(-1)];
  if (!first || !last) throw new Error('a job has states');
  const isFinal = ['SUCCEEDED', 'FAILED', 'CANCELLED', 'DEAD'].includes(last[0]);
  const error = more.code && JSON.stringify({ code: more.code, failureClass: more.failureClass, message: 'x' });
  await pool.query(
    `insert into sluice.job (id, tenant, kind, name, owner, state, spec, spec_hash, attempt, rows_read, rows_loaded,
       total_rows, error, last_seq, rows_rechecked, rows_differing, created_at, updated_at, finished_at)
     values ($1, $2, 'ETL', 'test', 'layer-12', $3, '{}', '', $4, $5, $6, $6, $7, $8, $12, $13,
       statement_timestamp() - $9 * interval '1 s', statement_timestamp() - $10 * interval '1 s',
       case when $11 then statement_timestamp() - $10 * interval '1 s' end)`,
    [
      id,
      more.tenant ?? 'default',
      last[0],
      attempt,
      rows,
      rows - missing,
      error ?? null,
      states.length,
      first[1],
      last[1],
      isFinal,
      more.rechecked ?? null,
      more.differing ?? 0,
    ],
  );
  for (const [index, [state, ago]] of states.entries())
    await pool.query(
      `insert into sluice.job_event (job_id, seq, tenant, at, kind, state, progress, error)
       values ($1, $2, $3, statement_timestamp() - $4 * interval '1 s', 'STATE', $5, jsonb_build_object('rows_read', $6::int), $7)`,
      [
        id,
        index + 1,
        more.tenant ?? 'default',
        ago,
        state,
        rows,
        ['FAILED', 'DEAD', 'RETRYING', 'AWAITING_DECISION'].includes(state) ? (error ?? null) : null,
      ],
    );
  if (committed > 0)
    await pool.query(
      `insert into sluice.chunk (job_id, ordinal, tenant, kind, uri, bytes, state, rows, loaded_at)
       values ($1, 0, $2, 'ROWS', 'x', 1, 'LOADED', $3, statement_timestamp() - $4 * interval '1 s')`,
      [id, more.tenant ?? 'default', committed, last[1]],
    );
  return id;
}

/** A job that was queued for 10 s, ran for 10 s, and ended so many seconds ago. */
export const insertRun = (pool: Pool, end: string, ago = 60, more: Omit<Told, 'states'> = {}): Promise<string> =>
  insertJob(pool, {
    states: [
      ['QUEUED', ago + 20],
      ['RUNNING', ago + 10],
      [end, ago],
    ],
    ...more,
  });
