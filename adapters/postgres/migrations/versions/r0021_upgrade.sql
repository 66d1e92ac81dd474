-- Lists of payouts, and merchants' own words about what they have made.

-- Pages are ordered by when a payout was made. Each filter, and those that hold together, find
-- their rows in that order in one of these, or by the settlement, which has few: see
-- adapters/postgres/payout_lists.py.
create index payout_of_merchant_idx on payout (merchant_id, created_at, id);
create index payout_standing_idx on payout (merchant_id, state, created_at, id);
create index payout_of_asset_idx on payout (merchant_id, asset, state, created_at, id);

alter table webhook_endpoint add column metadata jsonb not null default '{}';
alter table payout_destination_change add column metadata jsonb not null default '{}';
