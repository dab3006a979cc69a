/** A state event after which a job rests (waits for a retry or a decision, or is paused) or is taken up again. */
const REST_SQL = (event: string): string => `${event}.kind = 'STATE'
  and (${event}.state in ('RETRYING', 'PAUSED', 'AWAITING_DECISION') or ${event}.state = 'QUEUED' and ${event}.seq > 1)`;

/** SQL of the second that a time belongs to. */
export const secondOf = (at: string): string => `date_bin('1 s', ${at}, timestamptz 'epoch')`;

/** The CTE `rested (job_id)`: the jobs that rested, or were taken up again, within the window. Its predicate is that of an index. */
export const restedCte = (since: string, ours: string): string => `
  rested as materialized (
    select distinct job.job_id from sluice.job_event as job where ${REST_SQL('job')} and job.at > ${since} and ${ours}
  )`;

/**
 * CTEs up to `work (ms)`: how long at least one job was queued or running. Most jobs are from their creation to their
 * end; only of those that rested every event is read. Spans that begin within the same second are laid together before
 * the sweep, which makes it short and costs that second's gaps.
 *
 * They read `rested`, `plain (begins, ends)`: spans within the window of jobs that did not rest, and
 * `active (id, created_at, ends)`: further jobs.
 *
 * @param since SQL of the begin of the window
 */
export const workMsCtes = (since: string): string => `
  told as (
    select id, created_at, ends, id in (select job_id from rested) or created_at <= ${since} and exists (
      select from sluice.job_event as event where event.job_id = active.id and ${REST_SQL('event')}) as rested
    from active
  ), states as (
    select event.state, event.at as begins,
      coalesce(lead(event.at) over (partition by event.job_id order by event.seq), statement_timestamp()) as ends
    from sluice.job_event as event
    where event.kind = 'STATE'
      and event.job_id = any(array(select job_id from rested union select id from told where told.rested))
  ), spans as (
    select begins, ends from plain
    union all
    select greatest(created_at, ${since}), ends from told where not rested
    union all
    select greatest(begins, ${since}), ends from states where state in ('QUEUED', 'RUNNING') and ends > ${since}
  ), merged as (
    select min(begins) as begins, max(ends) as ends from spans group by ${secondOf('begins')}
  ), swept as (
    select begins, ends, max(ends) over (order by begins rows between unbounded preceding and 1 preceding) as reach
    from merged
  ), work as (
    select coalesce(sum(greatest(0, extract(epoch from ends - greatest(begins, reach)))) * 1000, 0)::float8 as ms from swept
  )`;
