-- Back to the schema before.

drop table sandbox_order;
alter table webhook_endpoint drop column simulated, drop column simulated_times;
