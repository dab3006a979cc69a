import { SluiceError } from '../core/errors.js';
import type { Attempt, Part, Publish } from '../jobs/stores.js';
import { cancellableTransaction } from './cancellable-transaction.js';
import { CHUNK_COLUMNS, type ChunkRow, partOf } from './chunk-row.js';
import { type Announcer, type ChangedRow, guardOf, signalOf, TOUCH, withEvent } from './job-change.js';
import { leaseLost } from './lease-lost.js';
import type { Pool, Queryable } from './pool.js';

interface Balance {
  readonly rows_read: bigint;
  readonly rows_loaded: bigint;
  readonly rows_filtered: bigint;
  readonly rows_deduplicated: bigint;
  readonly rows_quarantined: bigint;
  readonly rows_reshaped: bigint;
  readonly total_rows: bigint;
  readonly chunks_total: number;
  readonly chunks_loaded: bigint;
  readonly good_in_chunks: bigint;
  readonly bad_in_chunks: bigint;
}

/** The counters of the job beside those of its chunks; nothing when the attempt is over. */
async function readBalance(db: Queryable, { job, token }: Attempt): Promise<Balance | undefined> {
  const { rows } = await db.query<Balance>(
    `select job.rows_read, job.rows_loaded, job.rows_filtered, job.rows_deduplicated, job.rows_quarantined,
       job.rows_reshaped, job.total_rows, job.chunks_total,
       count(chunk.ordinal) filter (where chunk.state = 'LOADED') as chunks_loaded,
       coalesce(sum(chunk.rows) filter (where chunk.kind <> 'QUARANTINE'), 0)::bigint as good_in_chunks,
       coalesce(sum(chunk.rows) filter (where chunk.kind = 'QUARANTINE'), 0)::bigint as bad_in_chunks
     from sluice.job as job left join sluice.chunk as chunk on chunk.job_id = job.id
     where job.id = $1 and job.lease_token = $2 and job.state = 'RUNNING' and job.chunks_total is not null
     group by job.id`,
    [job.id, token],
  );
  return rows[0];
}

/** The parts with good rows. */
async function readRowParts(db: Queryable, { job }: Attempt): Promise<readonly Part[]> {
  const { rows } = await db.query<ChunkRow>(
    `select ${CHUNK_COLUMNS} from sluice.chunk as chunk
     where chunk.job_id = $1 and chunk.tenant = $2 and chunk.kind = 'ROWS' order by chunk.ordinal`,
    [job.id, job.tenant],
  );
  return rows.map(partOf);
}

/** Every row that was read is somewhere, and the counters say what the chunks say. */
function reconcile(balance: Balance): void {
  const accounted =
    balance.rows_loaded +
    balance.rows_filtered +
    balance.rows_deduplicated +
    balance.rows_quarantined +
    balance.rows_reshaped;
  const balances =
    balance.rows_read === accounted &&
    balance.rows_loaded === balance.total_rows &&
    balance.rows_loaded === balance.good_in_chunks &&
    balance.rows_quarantined === balance.bad_in_chunks;
  if (balances) return;
  throw new SluiceError(
    'RECONCILIATION_FAILED',
    `The rows do not balance: ${balance.rows_read} were read, and ${accounted} are accounted for (${balance.rows_loaded} loaded of ${balance.total_rows}).`,
    { details: Object.fromEntries(Object.entries(balance).map(([name, count]) => [name, Number(count)])) },
  );
}

export interface Finish {
  readonly attempt: Attempt;
  readonly signal: AbortSignal;
  readonly publish: Publish;
  /** `publish` commits in another database: no cancel takes that back, and the job has succeeded by it. */
  readonly isElsewhere: boolean;
}

/**
 * The finishing transaction. The finisher is elected by a lock of its own, not by that of the job row: publishing may
 * take long, and heartbeats and a cancel must get at the row meanwhile.
 */
export async function finishJob(
  pool: Pool,
  announcer: Announcer,
  { attempt, signal, publish, isElsewhere }: Finish,
): Promise<boolean> {
  const { from, to } = guardOf('SUCCEED');
  const succeed = withEvent(announcer, {
    change: `update sluice.job as job set state = '${to}', stage = null, finished_at = statement_timestamp(),
        rows_rechecked = coalesce($5, job.rows_rechecked), rows_differing = coalesce($6, job.rows_differing),
        prepared = null, lease_token = null, lease_until = null, worker = null, pause_requested = false, ${TOUCH}
      where job.id = $1 and job.lease_token = $2 and job.state = any($3) and ($4 or not job.cancel_requested)
        and not job.rollback_requested
      returning job.*`,
    kind: 'STATE',
    message: `job.rows_loaded || ' rows are loaded.' || case when job.rows_differing = 0 then ''
      else ' Read back: ' || job.rows_rechecked || ', differing: ' || job.rows_differing || '.' end`,
    reports: true,
    attempt: { ends: `'SUCCEEDED'` },
  });
  // Once it is published elsewhere an abort must not get between that and the state of the job.
  const until = isElsewhere ? new AbortController().signal : signal;
  const changed = await cancellableTransaction(pool, until, async (client) => {
    const { rows: election } = await client.query<{ elected: boolean }>(
      `select pg_try_advisory_xact_lock(hashtextextended('sluice.finish ' || $1, 0)) as elected`,
      [attempt.job.id],
    );
    if (!election[0]?.elected) return undefined;
    const balance = await readBalance(client, attempt);
    if (balance === undefined || Number(balance.chunks_loaded) < balance.chunks_total) return undefined;
    reconcile(balance);
    const loaded = { rows: Number(balance.rows_loaded), parts: () => readRowParts(client, attempt) };
    const recheck = await publish(client, loaded);
    const told = [recheck?.rows ?? null, recheck?.differing ?? null];
    const values = [attempt.job.id, attempt.token, from, isElsewhere, ...told];
    const { rows } = await client.query<ChangedRow>(succeed, values);
    // Cancelled while publishing: the rollback takes the publication back.
    if (!rows[0]) throw leaseLost();
    return rows[0];
  });
  if (changed) announcer.announce(signalOf(changed));
  return changed !== undefined;
}
