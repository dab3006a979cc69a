-- The log tells of policies too, which have no escalation and no status. Nothing that older rows are hashed over changes.
alter table sluice.escalation_log alter column escalation_id drop not null, alter column status drop not null;

-- What the last evaluation of the job was to run, literals left out; for whoever has to decide about a failure.
alter table sluice.job add column compiled_sql text;
