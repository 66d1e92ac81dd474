-- Chains of another nature: payments told apart by memos, and messages that expire.

alter table payment_intent add column memo text collate "C";
create unique index payment_intent_memo_key on payment_intent (chain, memo)
    where memo is not null;

alter table submission
    add column valid_until timestamptz,
    add column issue integer not null default 1;
