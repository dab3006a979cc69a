-- Loads that are complete, by the id that their rows carry, and jobs whose rows are to be removed from their target again.

create table sluice.load (
  -- The id of the job.
  load_id uuid primary key,
  tenant text not null,
  job_name text not null,
  connection text not null,
  target_schema text not null,
  target_table text not null,
  mode text not null,
  rows bigint not null,
  finished_at timestamptz not null default statement_timestamp()
);

comment on table sluice.load is 'Written with the last change of a load whose rows carry its id: a row of a target whose id is missing here is of a load in progress, or of one that has failed.';

alter table sluice.job add column rollback_requested boolean not null default false;

comment on column sluice.job.rollback_requested is 'The job is cancelled as soon as its rows are removed from the target. It stays true then.';

create index job_rollback on sluice.job (id) where rollback_requested and state <> 'CANCELLED';
