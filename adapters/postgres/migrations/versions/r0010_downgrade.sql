-- Back to the schema before.

drop table chain_stretch;
alter table chain_cursor drop column gap;
