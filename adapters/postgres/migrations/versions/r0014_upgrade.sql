-- What is looked up for one intent, and filters of lists.

-- Both repeat a part of the fact, for its indexes: to whom money went, and the memo that was read
-- out of what stood beside it (see domain/intents/memos.py).
alter table observation
    add column paid_to text collate "C",
    add column paid_memo text collate "C";
update observation
set paid_to = fact ->> 'target',
    paid_memo = substring(
        translate(upper(fact ->> 'memo'), 'OIL -', '011') from '^[0-9ABCDEFGHJKMNPQRSTVWXYZ]{12}$'
    )
where fact ->> 'type' = 'Transfer';
create index observation_paid_to_idx on observation (chain, paid_to, block_number)
    where paid_to is not null;
create index observation_paid_memo_idx on observation (chain, paid_memo)
    where paid_memo is not null;

create index event_of_object_idx on event (object_id, sequence);
create index suspense_item_paid_to_idx on suspense_item (paid_to) where paid_to is not null;

-- Lists are ordered by when an intent was made. Each filter, and each two or three of them
-- together, find their rows in that order in one of these: see adapters/postgres/intent_lists.py.
drop index payment_intent_of_merchant_idx;
create index payment_intent_of_merchant_idx on payment_intent (merchant_id, created_at, id);
create index payment_intent_standing_idx
    on payment_intent (merchant_id, method, status, created_at, id);
create index payment_intent_of_asset_idx
    on payment_intent (merchant_id, due_asset, method, status, created_at, id);
