import type { SuccessMetricsReader } from '../jobs/monitors/ports.js';
import type { SuccessCounts } from '../jobs/monitors/success-metrics.js';
import { IS_QUEUE_PAUSED } from './claimable.js';
import { type Pool, type Queryable, withTransaction } from './pool.js';
import { RESTED_SQL, WORK_MS_SQL } from './work-time.js';

/** Queued for so long, a job waits for a worker and not just for its hint. */
const BACKLOG_MS = 10_000;
/** So many of the jobs that ended last are compared with the record of their parts. */
const RECHECKED_JOBS = 100;

const SINCE = `statement_timestamp() - $2 * interval '1 ms'`;
const OURS = '($1::text is null or job.tenant = $1)';
const MINE = `error ->> 'failureClass' is distinct from 'INVALID_REQUEST'`;

/**
 * Each subquery reads one partial index of the migration `0003_monitors`, by its very predicate.
 *
 * An attempt has failed when it led to RETRYING or AWAITING_DECISION, or straight from RUNNING to the end: a job that is
 * given up by a verdict fails no second time. A job that awaits a decision has not ended, and may yet succeed.
 */
const COUNTS = `
  with succeeded as (
    select job.id, job.tenant, job.created_at, job.finished_at, job.attempt, job.rows_read, job.rows_loaded,
      job.rows_quarantined, job.rows_loaded = job.total_rows and job.rows_read = job.rows_loaded + job.rows_filtered
        + job.rows_deduplicated + job.rows_quarantined + job.rows_reshaped as balances
    from sluice.job as job where job.state = 'SUCCEEDED' and job.finished_at > ${SINCE} and ${OURS}
  ), unsuccessful as (
    select job.id, job.tenant, job.created_at, job.finished_at, job.attempt, job.state <> 'CANCELLED' and job.${MINE} as counts
    from sluice.job as job
    where job.state in ('FAILED', 'CANCELLED', 'DEAD') and job.finished_at > ${SINCE} and ${OURS}
  ), failures as (
    select job.error ->> 'code' as code, (job.progress ->> 'rows_read')::bigint as rows_read
    from sluice.job_event as job
    where job.kind = 'STATE' and job.state in ('RETRYING', 'AWAITING_DECISION', 'FAILED', 'DEAD')
      and job.at > ${SINCE} and ${OURS} and job.${MINE}
      and (job.state in ('RETRYING', 'AWAITING_DECISION') or exists (
        select from sluice.job_event as before
        where before.job_id = job.job_id and before.seq = job.seq - 1 and before.state = 'RUNNING'))
  ), recent as (
    select id, rows_loaded, rows_quarantined from succeeded order by finished_at desc limit ${RECHECKED_JOBS}
  ), misfits as (
    select recent.id from recent left join sluice.chunk as chunk on chunk.job_id = recent.id
    group by recent.id, recent.rows_loaded, recent.rows_quarantined
    having coalesce(sum(chunk.rows) filter (where chunk.kind <> 'QUARANTINE'), 0) <> recent.rows_loaded
      or coalesce(sum(chunk.rows) filter (where chunk.kind = 'QUARANTINE'), 0) <> recent.rows_quarantined
      or bool_or(chunk.state <> 'LOADED')
  ), good as (
    select count(*) as jobs, count(*) filter (where attempt > 1) as retried, coalesce(sum(rows_read), 0) as rows,
      coalesce(sum(rows_read) filter (where balances is not true or id in (select id from misfits)), 0) as disagreeing
    from succeeded
  ), bad as (
    select count(*) as jobs, count(*) filter (where attempt > 1) as retried from unsuccessful where counts
  ), failed as (
    select count(*) as attempts,
      coalesce(sum(rows_read) filter (where code = 'RECONCILIATION_FAILED'), 0) as rows_off
    from failures
  ), active as (
    select id, created_at, finished_at as ends, ${RESTED_SQL} as rested from succeeded as job
    union all select id, created_at, finished_at, ${RESTED_SQL} from unsuccessful as job
    union all select job.id, job.created_at, statement_timestamp(), ${RESTED_SQL} from sluice.job as job
      where job.state in ('QUEUED', 'RUNNING') and ${OURS}
    union all select job.id, job.created_at, job.updated_at, true from sluice.job as job
      where job.state in ('RETRYING', 'PAUSED', 'AWAITING_DECISION') and job.updated_at > ${SINCE} and ${OURS}
  ), ${WORK_MS_SQL(SINCE)}
  select good.jobs as jobs_succeeded, bad.jobs as jobs_failed, failed.attempts as attempts_failed,
    good.retried as retried_succeeded, bad.retried as retried_failed, work.ms as work_ms,
    good.rows + failed.rows_off as rows_reconciled, good.disagreeing + failed.rows_off as rows_disagreeing,
    (select coalesce(sum(job.rows), 0) from sluice.chunk as job
     where job.state = 'LOADED' and job.loaded_at > ${SINCE} and ${OURS}) as rows_committed,
    exists (select from sluice.job as job where job.state = 'QUEUED' and ${OURS} and not ${IS_QUEUE_PAUSED}
      and job.updated_at < statement_timestamp() - ${BACKLOG_MS} * interval '1 ms') as is_backed_up
  from good, bad, failed, work`;

interface CountsRow {
  readonly jobs_succeeded: bigint;
  readonly jobs_failed: bigint;
  readonly attempts_failed: bigint;
  readonly retried_succeeded: bigint;
  readonly retried_failed: bigint;
  readonly work_ms: number;
  /** Sums are numeric, exact; these are far below 2^53. */
  readonly rows_committed: string;
  readonly rows_reconciled: string;
  readonly rows_disagreeing: string;
  readonly is_backed_up: boolean;
}

/**
 * One statement, so that all figures are of the same moment.
 * @param db in a transaction
 * @param tenant null for all
 */
export async function readSuccessCounts(
  db: Queryable,
  tenant: string | null,
  windowMs: number,
): Promise<SuccessCounts> {
  // Compiling the statement takes three times as long as running it.
  await db.query('set local jit = off');
  const { rows } = await db.query<CountsRow>(COUNTS, [tenant, windowMs]);
  const [row] = rows;
  if (!row) throw new Error('an aggregate always answers one row');
  return {
    jobsSucceeded: Number(row.jobs_succeeded),
    jobsFailed: Number(row.jobs_failed),
    attemptsFailed: Number(row.attempts_failed),
    retriedSucceeded: Number(row.retried_succeeded),
    retriedFailed: Number(row.retried_failed),
    rowsCommitted: Number(row.rows_committed),
    workMs: row.work_ms,
    isBackedUp: row.is_backed_up,
    rowsReconciled: Number(row.rows_reconciled),
    rowsDisagreeing: Number(row.rows_disagreeing),
  };
}

export const createSuccessMetricsStore = (pool: Pool): SuccessMetricsReader => ({
  counts: (tenant, windowMs) => withTransaction(pool, (client) => readSuccessCounts(client, tenant, windowMs)),
});
