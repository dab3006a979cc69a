-- Verdicts that have yet to act are few, and looked for every second among all that were ever opened.
create index escalation_decided on sluice.escalation (opened_at, id) where status = 'DECIDED';

-- Claims go through the agents one by one; an index of all that is due misled the planner and served nobody else.
drop index sluice.notification_due;

-- A row is changed twice, by its claim and by its end: with room beside it the indexes do not hear of the first.
alter table sluice.notification set (fillfactor = 50);
