-- Attempts that can be listed, parts that are tried again on their own, jobs and queues that somebody stops.

create table sluice.job_attempt (
  job_id uuid not null references sluice.job (id) on delete cascade,
  -- The event with which it began, later than that of any attempt before.
  seq bigint not null,
  tenant text not null default 'default',
  -- Which try of the job it is. An attempt that used up none has the number of the next one.
  number integer not null,
  worker text not null,
  started_at timestamptz not null default statement_timestamp(),
  ended_at timestamptz,
  outcome text check (outcome in ('SUCCEEDED', 'FAILED', 'CANCELLED', 'PAUSED', 'RELEASED', 'LEASE_LOST')),
  error_code text,
  error_message text,
  primary key (job_id, seq),
  check ((ended_at is null) = (outcome is null))
);

alter table sluice.job
  add column pause_requested boolean not null default false,
  -- Until when the job may run by its timeout; set by the first claim, moved by a pause.
  add column deadline_at timestamptz,
  -- What a loaded part is to the target, known once the sink has prepared.
  add column part_effect text check (part_effect in ('STAGED', 'REPEATABLE', 'PERMANENT'));

update sluice.job set deadline_at = started_at + timeout_ms * interval '1 ms'
where timeout_ms is not null and started_at is not null and finished_at is null;

comment on column sluice.job.takeovers is 'Workers in a row that stopped answering while they had the job, without progress in between.';

alter table sluice.chunk
  -- Loads in this attempt of the job that failed for a reason that may pass.
  add column failures integer not null default 0,
  -- When it is tried again after such a failure.
  add column due_at timestamptz;

create index chunk_due on sluice.chunk (due_at) where state = 'PENDING' and due_at is not null;

-- A row says that no job of the tenant is begun, until it is removed.
create table sluice.queue_pause (
  tenant text primary key,
  reason text,
  paused_by text not null,
  paused_at timestamptz not null default statement_timestamp()
);
