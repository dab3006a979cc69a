-- The sweeper offers queued jobs in the order in which workers take them.
create index job_queued on sluice.job (priority desc, updated_at) where state = 'QUEUED';
