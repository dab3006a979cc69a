-- The log tells of policies too, which have no escalation and no status. Nothing that older rows are hashed over changes.
alter table sluice.escalation_log alter column escalation_id drop not null, alter column status drop not null;
