-- Customers' own addresses, and what is paid to them.

create table customer_address (
    id text collate "C" not null,
    merchant_id text collate "C" not null,
    customer text collate "C" not null,
    reach text collate "C" not null,
    address text collate "C" not null,
    index bigint not null,
    metadata jsonb not null,
    created_at timestamptz not null,
    constraint customer_address_pkey primary key (id)
);
create unique index customer_address_customer_key
    on customer_address (merchant_id, customer, reach);
create unique index customer_address_address_key on customer_address (address);
create unique index customer_address_index_key on customer_address (index);
create index customer_address_of_merchant_idx on customer_address (merchant_id, created_at, id);

create table deposit (
    id text collate "C" not null,
    merchant_id text collate "C" not null,
    address_id text collate "C" not null,
    customer text collate "C" not null,
    chain text collate "C" not null,
    transaction text collate "C" not null,
    position bigint not null,
    source text collate "C" not null,
    address text collate "C" not null,
    amount numeric(78) not null,
    asset text collate "C" not null,
    fees jsonb not null,
    paid_at timestamptz not null,
    created_at timestamptz not null,
    changed_at timestamptz not null,
    status text collate "C" not null,
    fee numeric(78),
    constraint deposit_pkey primary key (id),
    constraint deposit_address_id_fkey foreign key (address_id) references customer_address (id)
);
create unique index deposit_transfer_key on deposit (chain, transaction, position, address_id)
    where status <> 'retracted';
create index deposit_retracted_idx on deposit (chain, transaction) where status = 'retracted';
create index deposit_of_merchant_idx on deposit (merchant_id, created_at, id);
create index deposit_standing_idx on deposit (merchant_id, status, created_at, id);
create index deposit_of_customer_idx on deposit (merchant_id, customer, created_at, id);
