-- Back to the schema before.

alter table webhook_delivery drop column sequence, drop column previous_sequence;
