-- Several parts may share a file.
alter table sluice.chunk add column byte_offset bigint not null default 0;
