-- Wallets: what is moved between hot and cold.

create table cold_transfer (
    id text collate "C" not null,
    chain text collate "C" not null,
    amount numeric(78) not null,
    asset text collate "C" not null,
    target text collate "C" not null,
    payout_id text collate "C" not null,
    created_at timestamptz not null,
    changed_at timestamptz not null,
    state text collate "C" not null,
    reason text,
    constraint cold_transfer_pkey primary key (id)
);
create unique index cold_transfer_moving_key on cold_transfer (asset) where state = 'moving';
create unique index cold_transfer_payout_key on cold_transfer (payout_id);
create index cold_transfer_of_asset_idx on cold_transfer (asset, created_at, id);

create table wallet_alarm (
    watched text collate "C" not null,
    asset text collate "C" not null,
    condition text collate "C" not null,
    since timestamptz not null,
    constraint wallet_alarm_pkey primary key (watched, asset)
);
