-- Back to the schema before.

alter table payout_destination_change drop column metadata;
alter table webhook_endpoint drop column metadata;

drop index payout_of_asset_idx, payout_standing_idx, payout_of_merchant_idx;
