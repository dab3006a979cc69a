-- Verdicts that have yet to act are few, and looked for every second among all that were ever opened.
create index escalation_decided on sluice.escalation (opened_at, id) where status = 'DECIDED';
