-- Who is asked when a job fails in a way that retrying cannot mend, and what came of it.

-- What jobs and monitors hand over, written in the transaction of what it is about.
create table sluice.failure_report (
  id uuid primary key,
  tenant text not null default 'default',
  kind text not null check (kind in ('FAILED', 'RECOVERED')),
  source text not null check (source in ('JOB', 'MONITOR', 'PERSON')),
  job_id uuid references sluice.job (id) on delete cascade,
  pipeline text not null,
  target text,
  owner text not null,
  code text not null,
  failure_class text not null,
  message text not null,
  details jsonb not null default '{}',
  at timestamptz not null default statement_timestamp(),
  lease_until timestamptz,
  -- The escalation that took it up; null until then, or when none was needed.
  escalation_id uuid,
  done boolean not null default false
);

create index failure_report_waiting on sluice.failure_report (at) where not done;

create table sluice.escalation_policy (
  tenant text not null default 'default',
  id text not null,
  version integer not null,
  failure_class text not null,
  pipeline text,
  spec jsonb not null,
  saved_by text not null,
  saved_at timestamptz not null default statement_timestamp(),
  primary key (tenant, id, version)
);

create table sluice.evidence (
  tenant text not null default 'default',
  hash text not null,
  bundle jsonb not null,
  created_at timestamptz not null default statement_timestamp(),
  primary key (tenant, hash)
);

create table sluice.escalation (
  id uuid primary key,
  tenant text not null default 'default',
  dedup_key text not null,
  title text not null,
  failure_class text not null,
  rule text not null,
  confidence real not null,
  owner text not null,
  job_id uuid references sluice.job (id) on delete set null,
  pipeline text not null,
  target text,
  policy_id text not null,
  policy_version integer not null,
  status text not null check (status in ('ASKING', 'ACKNOWLEDGED', 'CLAIMED', 'SNOOZED', 'DECIDED', 'HELD', 'RESOLVED')),
  -- The rest of the state table's state, as JSON.
  state jsonb not null,
  due_at timestamptz,
  -- Asked, told and the holder, for filters.
  agents text[] not null default '{}',
  occurrences integer not null default 1,
  evidence_hash text not null,
  version integer not null default 1,
  opened_at timestamptz not null default statement_timestamp(),
  last_occurred_at timestamptz not null default statement_timestamp(),
  resolved_at timestamptz
);

create unique index escalation_open on sluice.escalation (tenant, dedup_key) where status <> 'RESOLVED';
create index escalation_due on sluice.escalation (due_at) where due_at is not null and status <> 'RESOLVED';
create index escalation_list on sluice.escalation (tenant, opened_at desc, id desc);
create index escalation_by_job on sluice.escalation (job_id) where job_id is not null;
create index escalation_similar on sluice.escalation (tenant, failure_class, pipeline, resolved_at desc) where status = 'RESOLVED';

-- The head of each tenant's log: whoever appends holds its row, so that the order of commits is the order of the log.
create table sluice.escalation_log_head (
  tenant text primary key,
  seq bigint not null default 0,
  hash text not null default ''
);

create table sluice.escalation_log (
  tenant text not null default 'default',
  seq bigint not null,
  escalation_id uuid not null,
  at timestamptz not null,
  kind text not null,
  actor text not null,
  agents text[] not null default '{}',
  status text not null,
  data jsonb not null default '{}',
  prev_hash text not null,
  hash text not null,
  primary key (tenant, seq)
);

create index escalation_log_of on sluice.escalation_log (tenant, escalation_id, seq);

create function sluice.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'the escalation log is append-only';
end $$;

create trigger escalation_log_append_only before update or delete on sluice.escalation_log
  for each row execute function sluice.refuse_change();

-- One row per escalation, round, step and agent: the logical notification. Its id is the webhook-id of every try.
create table sluice.notification (
  id uuid primary key,
  tenant text not null default 'default',
  escalation_id uuid not null references sluice.escalation (id) on delete cascade,
  round integer not null,
  step integer not null,
  agent text not null,
  purpose text not null check (purpose in ('ASK', 'TELL')),
  channels text[] not null,
  state text not null default 'PENDING' check (state in ('PENDING', 'DELIVERED', 'DEAD')),
  attempt integer not null default 0,
  due_at timestamptz not null default statement_timestamp(),
  lease_until timestamptz,
  lease_token uuid,
  delivered_by text,
  delivered_at timestamptz,
  last_error text,
  created_at timestamptz not null default statement_timestamp(),
  unique (escalation_id, round, step, agent)
);

create index notification_due on sluice.notification (due_at) where state = 'PENDING';
create index notification_by_agent on sluice.notification (agent, due_at) where state = 'PENDING';

create table sluice.agent_contact (
  tenant text not null default 'default',
  agent text not null,
  channel text not null check (channel in ('WEBHOOK', 'EMAIL')),
  address text not null,
  -- Newest first; the one before stays valid while receivers change over.
  secrets text[] not null default '{}',
  is_enabled boolean not null default true,
  disabled_reason text,
  updated_at timestamptz not null default statement_timestamp(),
  primary key (tenant, agent, channel)
);

-- Verdicts that acted on a job, or could not: written in the transaction of the act, so that it happens once.
create table sluice.verdict_effect (
  verdict_id uuid primary key,
  tenant text not null default 'default',
  job_id uuid not null,
  kind text not null,
  outcome text not null check (outcome in ('APPLIED', 'FAILED')),
  reason text,
  at timestamptz not null default statement_timestamp()
);

-- Loads into these wait.
create table sluice.target_pause (
  tenant text not null default 'default',
  target text not null,
  escalation_id uuid not null,
  paused_at timestamptz not null default statement_timestamp(),
  primary key (tenant, target, escalation_id)
);

create index failure_report_by_job on sluice.failure_report (job_id, at) where job_id is not null;

-- `connection.schema.table`, or the URI of the file; null for jobs from before, which no pause holds back.
alter table sluice.job add column target text;
-- Whether the job has ever awaited a decision, so that whoever was asked learns of its end.
alter table sluice.job add column held boolean not null default false;
-- What verdicts have changed in the spec: [{verdictId, kind, agent, patch}], oldest first.
alter table sluice.job add column spec_patches jsonb not null default '[]';
