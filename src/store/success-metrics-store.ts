import type { SuccessMetricsReader } from '../jobs/monitors/ports.js';
import type { SuccessCounts } from '../jobs/monitors/success-metrics.js';
import { IS_QUEUE_PAUSED } from './claimable.js';
import { type Pool, type Queryable, withTransaction } from './pool.js';
import { restedCte, secondOf, workMsCtes } from './work-time.js';

/** Queued for so long, a job waits for a worker and not just for its hint. */
const BACKLOG_MS = 10_000;
/** So many of the jobs that ended last are compared with the record of their parts. */
const COMPARED_JOBS = 100;

const SINCE = `statement_timestamp() - $2 * interval '1 ms'`;
/** The same, worked out once and not for every row; an index needs the other to know how much it has to read. */
const BEGIN = '(select at from since)';
const OURS = '($1::text is null or job.tenant = $1)';
const MINE = `error ->> 'failureClass' is distinct from 'INVALID_REQUEST'`;

/** Whether a `job` accounts for every row that was read. */
const BALANCES = `job.rows_loaded = job.total_rows and job.rows_read = job.rows_loaded + job.rows_filtered
  + job.rows_deduplicated + job.rows_quarantined + job.rows_reshaped`;

/** Rows that differ in the target, as the sample of a `job` lets expect. */
const DIFFERING = 'least(job.rows_read, ceil(job.rows_loaded::numeric * job.rows_differing / job.rows_rechecked))';

/**
 * Each subquery reads one partial index, by its very predicate, and none twice: the jobs that succeeded are by far the
 * most, and so all that is to be known of them is gathered in one pass, by the second in which they began.
 *
 * A dead job that was discarded has failed all the same. A job that waits for its turn in a redrive has no error: it is
 * RETRYING without having failed again.
 *
 * An attempt has failed when it led to RETRYING or AWAITING_DECISION, or straight from RUNNING to the end: a job that is
 * given up by a verdict fails no second time. A job that awaits a decision has not ended, and may yet succeed.
 */
const COUNTS = `
  with since as materialized (select ${SINCE} as at), ${restedCte(SINCE, OURS)}, succeeded as materialized (
    select ${secondOf('job.created_at')} as second,
      job.created_at > ${BEGIN} and job.id not in (select job_id from rested) as is_plain,
      min(job.created_at) as begins, max(job.finished_at) as ends,
      array_agg(job.id) filter (where job.created_at <= ${BEGIN}) as early,
      count(*) as jobs, count(*) filter (where job.attempt > 1) as retried, sum(job.rows_read) as rows,
      sum(job.rows_read) filter (where (${BALANCES}) is not true) as unbalanced,
      sum(job.rows_read) filter (where job.rows_rechecked = 0 and job.rows_loaded > 0 and ${BALANCES}) as unknown,
      sum(${DIFFERING}) filter (where job.rows_differing > 0 and ${BALANCES}) as differing
    from sluice.job as job where job.state = 'SUCCEEDED' and job.finished_at > ${SINCE} and ${OURS}
    group by second, is_plain
  ), unsuccessful as (
    select job.id, job.created_at, job.finished_at, job.attempt, (job.state <> 'CANCELLED' or job.discarded_at is not null) and job.${MINE} as counts
    from sluice.job as job
    where job.state in ('FAILED', 'CANCELLED', 'DEAD') and job.finished_at > ${SINCE} and ${OURS}
  ), failures as (
    select job.error ->> 'code' as code, (job.progress ->> 'rows_read')::bigint as rows_read
    from sluice.job_event as job
    where job.kind = 'STATE' and job.state in ('RETRYING', 'AWAITING_DECISION', 'FAILED', 'DEAD')
      and job.at > ${SINCE} and ${OURS} and job.${MINE}
      and (job.state = 'AWAITING_DECISION' or job.state = 'RETRYING' and job.error is not null or exists (
        select from sluice.job_event as before
        where before.job_id = job.job_id and before.seq = job.seq - 1 and before.state = 'RUNNING'))
  ), recent as (
    select job.id, job.rows_loaded, job.rows_quarantined, case when (${BALANCES}) is not true
        or job.rows_rechecked = 0 and job.rows_loaded > 0 then 0
      when job.rows_differing > 0 then job.rows_read - ${DIFFERING} else job.rows_read end as agreeing
    from sluice.job as job where job.state = 'SUCCEEDED' and job.finished_at > ${SINCE} and ${OURS}
    order by job.finished_at desc limit ${COMPARED_JOBS}
  ), misfits as (
    select recent.agreeing from recent left join sluice.chunk as chunk on chunk.job_id = recent.id
    group by recent.id, recent.rows_loaded, recent.rows_quarantined, recent.agreeing
    having coalesce(sum(chunk.rows) filter (where chunk.kind <> 'QUARANTINE'), 0) <> recent.rows_loaded
      or coalesce(sum(chunk.rows) filter (where chunk.kind = 'QUARANTINE'), 0) <> recent.rows_quarantined
      or bool_or(chunk.state <> 'LOADED')
  ), good as (
    select coalesce(sum(jobs), 0)::bigint as jobs, coalesce(sum(retried), 0)::bigint as retried,
      coalesce(sum(rows), 0) - coalesce(sum(unknown), 0) as rows,
      coalesce(sum(unbalanced), 0) + coalesce(sum(differing), 0)
        + (select coalesce(sum(agreeing), 0) from misfits) as disagreeing
    from succeeded
  ), bad as (
    select count(*) as jobs, count(*) filter (where attempt > 1) as retried from unsuccessful where counts
  ), failed as (
    select count(*) as attempts,
      coalesce(sum(rows_read) filter (where code = 'RECONCILIATION_FAILED'), 0) as rows_off
    from failures
  ), plain as (
    select begins, ends from succeeded where is_plain
  ), active as (
    select job.id, job.created_at, job.finished_at as ends from sluice.job as job
      where job.id = any(array(select unnest(early) from succeeded))
    union all select id, created_at, finished_at from unsuccessful
    union all select job.id, job.created_at, statement_timestamp() from sluice.job as job
      where job.state in ('QUEUED', 'RUNNING') and ${OURS}
  ), ${workMsCtes(BEGIN)}
  select good.jobs as jobs_succeeded, bad.jobs as jobs_failed, failed.attempts as attempts_failed,
    good.retried as retried_succeeded, bad.retried as retried_failed, work.ms as work_ms,
    good.rows + failed.rows_off as rows_reconciled, good.disagreeing + failed.rows_off as rows_disagreeing,
    (select coalesce(sum(job.rows), 0) from sluice.chunk as job
     where job.state = 'LOADED' and job.loaded_at > ${SINCE} and ${OURS}) as rows_committed,
    exists (select from sluice.job as job where job.state = 'QUEUED' and ${OURS} and not ${IS_QUEUE_PAUSED}
      and job.updated_at < statement_timestamp() - ${BACKLOG_MS} * interval '1 ms') as is_backed_up
  from good, bad, failed, work`;

/**
 * Compiling the statement takes longer than running it. Every subquery has its index, whatever the statistics say; and
 * the seconds of a window fit into this memory, while the planner thinks that nearly every job has one of its own.
 */
const PLANNING = `select set_config('jit', 'off', true), set_config('enable_seqscan', 'off', true),
  set_config('enable_sort', 'off', true), set_config('work_mem', '64MB', true)`;

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
  await db.query(PLANNING);
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
