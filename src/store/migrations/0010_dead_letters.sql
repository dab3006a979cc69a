-- Dead letters: what they died of, who brought them back, who gave them up.

alter table sluice.job
  -- Equal for jobs whose last death had the same cause, whatever ids and numbers its message names.
  add column fingerprint text not null default 'none',
  -- The redrive that brought it back last. While it waits for its turn it is RETRYING with attempt 0.
  add column redrive_id uuid,
  add column discarded_at timestamptz,
  add column discarded_by text,
  add column discard_reason text,
  add constraint job_discard_check check (
    (discarded_at is null) = (discarded_by is null) and (discarded_at is null) = (discard_reason is null));

-- Those that died before are told apart a little more coarsely.
update sluice.job set fingerprint = left(md5(concat(error ->> 'code', ' ', regexp_replace(error ->> 'message', '\d+', '#', 'g'))), 16)
where state = 'DEAD' and error is not null;

comment on column sluice.job.fingerprint is 'Equal for jobs whose last death had the same cause.';

create index job_dead on sluice.job (tenant, finished_at desc, id desc) where state = 'DEAD';
create index job_dead_alike on sluice.job (tenant, fingerprint, finished_at desc) include (id, name) where state = 'DEAD';
create index job_redriven on sluice.job (redrive_id) where state = 'RETRYING' and attempt = 0;

create table sluice.redrive (
  id uuid primary key,
  tenant text not null,
  requested_by text not null,
  requested_at timestamptz not null default statement_timestamp(),
  rate_per_second double precision not null,
  idempotency_key text,
  input_hash text not null,
  taken integer not null default 0,
  remaining integer not null default 0,
  refused_count integer not null default 0,
  refused jsonb not null default '[]',
  -- When the last of its jobs has its turn, as it was planned.
  last_due_at timestamptz,
  -- When the turns that are left were last put off, because none was given for a while.
  put_off_at timestamptz
);
create unique index redrive_idempotency on sluice.redrive (tenant, idempotency_key) where idempotency_key is not null;

-- A row says that a redrive brought the job back, and from what.
create table sluice.job_redrive (
  job_id uuid not null references sluice.job (id) on delete cascade,
  -- Which redrive of the job it is, from 1.
  number integer not null,
  tenant text not null,
  redrive_id uuid not null references sluice.redrive (id),
  died_at timestamptz not null,
  fingerprint text not null,
  error_code text,
  error_message text,
  primary key (job_id, number)
);
