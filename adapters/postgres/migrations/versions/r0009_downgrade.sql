-- Back to the schema before. Where money was given back it fails, and keeps what happened.

alter table payout
    alter column settlement_id set not null,
    alter column merchant_id set not null;
drop table suspense_decision, suspense_item;
