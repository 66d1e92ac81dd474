-- Sweeps of deposit addresses.

create table sweep (
    id text collate "C" not null,
    chain text collate "C" not null,
    address text collate "C" not null,
    index bigint not null,
    amount numeric(78) not null,
    asset text collate "C" not null,
    created_at timestamptz not null,
    changed_at timestamptz not null,
    state text collate "C" not null,
    submission_id text collate "C",
    reason text,
    constraint sweep_pkey primary key (id)
);
create unique index sweep_open_key on sweep (chain, address)
    where state in ('funding', 'moving');
create index sweep_of_address_idx on sweep (chain, address, changed_at);

create table deposit_holding (
    chain text collate "C" not null,
    address text collate "C" not null,
    asset text collate "C" not null,
    amount numeric(78) not null,
    constraint deposit_holding_pkey primary key (chain, address, asset)
);
create index deposit_holding_amount_idx on deposit_holding (chain, asset, amount);

-- Nothing has left a deposit address yet: each holds whatever final payments have brought it.
insert into deposit_holding (chain, address, asset, amount)
select paid.chain, intent.deposit_address, paid.fact -> 'money' ->> 'asset',
    sum((paid.fact -> 'money' ->> 'amount')::numeric)
from observation paid
join payment_intent intent
    on intent.chain = paid.chain and intent.deposit_address = paid.fact ->> 'target'
where paid.finality = 'final' and paid.fact ->> 'type' = 'Transfer'
group by 1, 2, 3;
