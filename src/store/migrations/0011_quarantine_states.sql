-- Rows in quarantine that somebody mends, loads after all, or gives up. The record as it was read is never changed.

alter table sluice.job
  -- The job whose quarantined rows it loads.
  add column replay_of uuid,
  -- Names and types of the columns of its source, so that its quarantined rows can be read as the same ones again.
  add column source_columns jsonb;

-- The defaults are constants: no row is written anew, and a COPY computes nothing.
alter table sluice.quarantine
  add column status text not null default 'OPEN'
    check (status in ('OPEN', 'FIXED', 'REPLAYING', 'REPLAYED', 'DISCARDED')),
  -- The record as it is replayed, a JSON object of the source columns; text, since jsonb would lose digits and characters.
  add column fixed text,
  -- Grows with every change of `fixed`, so that nobody stores what was made of an older one.
  add column revision integer not null default 0,
  -- Who did what to the row, oldest first, each with what it was before.
  add column history jsonb,
  -- The job that loads it, or has.
  add column replay_job_id uuid,
  -- In the quarantine of a replay: the row that was replayed.
  add column origin_id bigint;

-- For the end of a replay; small, whatever was replayed before.
create index quarantine_replaying on sluice.quarantine (replay_job_id) where status = 'REPLAYING';
-- For the removal of old rows. Rows come in the order of their time, and a larger index would slow COPY down.
create index quarantine_by_age on sluice.quarantine using brin (created_at);
