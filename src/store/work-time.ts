/**
 * Whether a `job` rested in between (waited for a retry or a decision, or was paused) or was taken up again. The
 * predicate is that of the index `job_event_rested`.
 */
export const RESTED_SQL = `exists (select from sluice.job_event as rest where rest.job_id = job.id and rest.kind = 'STATE'
  and (rest.state in ('RETRYING', 'PAUSED', 'AWAITING_DECISION') or rest.state = 'QUEUED' and rest.seq > 1))`;

/**
 * CTEs up to `work (ms)`: how long at least one of the jobs of `active (id, created_at, ends, rested)` was queued or
 * running. Most jobs are from their creation to their end; only of those that rested every event is read. Spans that
 * begin within the same second are laid together before the sweep, which makes it short and costs that second's gaps.
 *
 * @param since SQL of the begin of the window
 */
export const WORK_MS_SQL = (since: string): string => `
  states as (
    select event.state, event.at as begins,
      coalesce(lead(event.at) over (partition by event.job_id order by event.seq), statement_timestamp()) as ends
    from sluice.job_event as event
    where event.kind = 'STATE' and event.job_id in (select id from active where rested)
  ), spans as (
    select greatest(created_at, ${since}) as begins, ends from active where not rested
    union all
    select greatest(begins, ${since}), ends from states where state in ('QUEUED', 'RUNNING') and ends > ${since}
  ), merged as (
    select min(begins) as begins, max(ends) as ends from spans group by date_trunc('second', begins)
  ), swept as (
    select begins, ends, max(ends) over (order by begins rows between unbounded preceding and 1 preceding) as reach
    from merged
  ), work as (
    select coalesce(sum(greatest(0, extract(epoch from ends - greatest(begins, reach)))) * 1000, 0)::float8 as ms from swept
  )`;
