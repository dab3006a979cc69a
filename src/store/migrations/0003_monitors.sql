-- The figures of the service over a sliding window, and what watches them.

-- The success metrics read what ended within the window. Which rows an index holds changes when a job ends, not with
-- every part of it, and the columns beside the key keep the wide rows of the jobs out of the reading.
create index job_succeeded on sluice.job (finished_at) include (tenant, created_at, attempt, id, rows_read, rows_loaded,
  rows_filtered, rows_deduplicated, rows_quarantined, rows_reshaped, total_rows) where state = 'SUCCEEDED';
create index job_unsuccessful on sluice.job (finished_at) where state in ('FAILED', 'CANCELLED', 'DEAD');
create index chunk_loaded on sluice.chunk (loaded_at) include (tenant, rows) where state = 'LOADED';
create index job_event_failed on sluice.job_event (at)
  where kind = 'STATE' and state in ('RETRYING', 'AWAITING_DECISION', 'FAILED', 'DEAD');
create index job_resting on sluice.job (updated_at) where state in ('RETRYING', 'PAUSED', 'AWAITING_DECISION');
-- Jobs that did not go straight from their launch to their end: they rested in between, or were taken up again.
create index job_event_rested on sluice.job_event (job_id)
  where kind = 'STATE' and (state in ('RETRYING', 'PAUSED', 'AWAITING_DECISION') or state = 'QUEUED' and seq > 1);

-- The processes that run jobs, written every few seconds by each of them.
create table sluice.worker (
  id text primary key,
  slots integer not null check (slots > 0),
  busy integer not null check (busy between 0 and slots),
  seen_at timestamptz not null default statement_timestamp()
);

-- What is remembered of a monitor from look to look; no row while all is well.
create table sluice.monitor (
  name text primary key,
  -- Every look since then found the figure out of its bounds.
  breached_since timestamptz not null,
  -- Every look since then found it back within; only after it was reported.
  met_since timestamptz,
  reported boolean not null default false
);

-- Locked by the process that looks, so that one does at a time.
create table sluice.monitor_round (
  looked_at timestamptz,
  one boolean primary key default true check (one)
);

insert into sluice.monitor_round default values;
