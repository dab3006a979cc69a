-- Jobs, their chunks and their events: the truth that queue messages only hint at.
create table sluice.job (
  id uuid primary key,
  tenant text not null default 'default',
  kind text not null check (kind in ('ETL', 'BATCH', 'STREAM', 'WORKFLOW')),
  name text not null,
  owner text not null,
  state text not null check (state in ('QUEUED', 'RUNNING', 'RETRYING', 'PAUSED', 'AWAITING_DECISION', 'SUCCEEDED', 'FAILED', 'CANCELLED', 'DEAD')),
  stage text check (stage in ('PLANNING', 'EVALUATING', 'LOADING', 'FINISHING')),
  spec jsonb not null,
  spec_hash text not null,
  idempotency_key text,
  priority integer not null default 0,
  attempt integer not null default 0,
  max_attempts integer not null default 5,
  -- Times the job was taken from a worker that stopped renewing its lease; not a failed attempt.
  takeovers integer not null default 0,
  timeout_ms bigint,
  error jsonb,
  -- What the sink prepared (staging table, publish mode), so that every worker loads alike.
  prepared jsonb,
  rows_read bigint not null default 0,
  rows_loaded bigint not null default 0,
  rows_filtered bigint not null default 0,
  rows_deduplicated bigint not null default 0,
  rows_quarantined bigint not null default 0,
  rows_reshaped bigint not null default 0,
  total_rows bigint,
  chunks_done integer not null default 0,
  chunks_total integer,
  last_seq bigint not null default 0,
  lease_token uuid,
  lease_until timestamptz,
  worker text,
  cancel_requested boolean not null default false,
  due_at timestamptz,
  created_at timestamptz not null default statement_timestamp(),
  started_at timestamptz,
  loading_at timestamptz,
  finished_at timestamptz,
  updated_at timestamptz not null default statement_timestamp()
);

comment on column sluice.job.lease_token is 'Fencing token of the attempt that evaluates or finishes the job; an update that does not match it changes nothing.';

create unique index job_idempotency on sluice.job (tenant, kind, idempotency_key) where idempotency_key is not null;
create index job_list on sluice.job (tenant, created_at desc, id desc);
create index job_by_state on sluice.job (tenant, state, created_at desc);
create index job_due on sluice.job (due_at) where state = 'RETRYING';
-- What the sweeper walks: everything that should be moving.
create index job_moving on sluice.job (updated_at) where state in ('QUEUED', 'RUNNING');
-- Ended without success, and the sink's preparations are still to be removed.
create index job_leftover on sluice.job (finished_at) where prepared is not null and state in ('FAILED', 'CANCELLED', 'DEAD');

create table sluice.chunk (
  job_id uuid not null references sluice.job (id) on delete cascade,
  ordinal integer not null,
  tenant text not null default 'default',
  kind text not null check (kind in ('ROWS', 'QUARANTINE', 'FILE')),
  uri text not null,
  bytes bigint not null,
  -- Rows in the part when the evaluation knows them, else null until it is loaded.
  expected_rows bigint,
  state text not null default 'PENDING' check (state in ('PENDING', 'LOADED')),
  rows bigint,
  attempt integer not null default 0,
  lease_token uuid,
  lease_until timestamptz,
  worker text,
  loaded_at timestamptz,
  primary key (job_id, ordinal)
);

create index chunk_pending on sluice.chunk (job_id, ordinal) where state = 'PENDING';

create table sluice.job_event (
  job_id uuid not null references sluice.job (id) on delete cascade,
  seq bigint not null,
  tenant text not null default 'default',
  at timestamptz not null default clock_timestamp(),
  kind text not null check (kind in ('STATE', 'STAGE', 'CHUNK')),
  state text not null,
  stage text,
  progress jsonb not null,
  message text,
  error jsonb,
  primary key (job_id, seq)
);

create table sluice.expectation_result (
  job_id uuid not null references sluice.job (id) on delete cascade,
  ordinal integer not null,
  tenant text not null default 'default',
  kind text not null,
  description text not null,
  severity text not null check (severity in ('WARN', 'QUARANTINE', 'FAIL')),
  evaluated bigint not null,
  failed bigint not null,
  status text not null check (status in ('PASSED', 'WARNED', 'QUARANTINED', 'FAILED')),
  samples jsonb not null default '[]',
  primary key (job_id, ordinal)
);

-- A part is copied straight in: it holds only what differs by row, and the transaction sets the rest, once, as settings
-- that the defaults read. They are stable, so that COPY still writes in batches; a temporary table would write twice.
create table sluice.quarantine (
  id bigint generated always as identity primary key,
  tenant text not null default current_setting('sluice.tenant'),
  -- No foreign key: its check per row would cost more than the copy of a large quarantine part.
  job_id uuid not null default current_setting('sluice.job_id')::uuid,
  chunk integer not null default current_setting('sluice.chunk')::integer,
  row_number bigint,
  file text,
  reasons jsonb not null,
  raw text not null,
  created_at timestamptz not null default statement_timestamp()
);

create index quarantine_by_job on sluice.quarantine (tenant, job_id, id);

-- Names this installation on a Redis that several may share: its queue and channels carry the id.
create table sluice.installation (
  id uuid not null default gen_random_uuid(),
  one boolean primary key default true check (one)
);

insert into sluice.installation default values;
