-- Back to the schema before.

alter table submission drop column issue, drop column valid_until;
drop index payment_intent_memo_key;
alter table payment_intent drop column memo;
