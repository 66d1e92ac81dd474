-- Back to the schema before.

drop index payment_intent_of_asset_idx, payment_intent_standing_idx,
    payment_intent_of_merchant_idx;
create index payment_intent_of_merchant_idx on payment_intent (merchant_id, id);
drop index suspense_item_paid_to_idx, event_of_object_idx, observation_paid_memo_idx,
    observation_paid_to_idx;
alter table observation drop column paid_to, drop column paid_memo;
