-- Rows that were read back from the target and compared with what was evaluated; null while nothing had to be.
alter table sluice.job add column rows_rechecked bigint, add column rows_differing bigint not null default 0;

-- What the success metrics want to know of a job that succeeded, again without its wide row.
drop index sluice.job_succeeded;
create index job_succeeded on sluice.job (finished_at) include (tenant, created_at, attempt, id, rows_read, rows_loaded,
  rows_filtered, rows_deduplicated, rows_quarantined, rows_reshaped, total_rows, rows_rechecked, rows_differing)
  where state = 'SUCCEEDED';
-- Notifications that nobody is told any more count until somebody redelivers them.
create index notification_dead on sluice.notification (tenant) where state = 'DEAD';
-- The jobs that rested within a window, found without reading of those that ever did.
create index job_event_rested_at on sluice.job_event (at) include (tenant, job_id)
  where kind = 'STATE' and (state in ('RETRYING', 'PAUSED', 'AWAITING_DECISION') or state = 'QUEUED' and seq > 1);
