-- The tables. Text is compared byte by byte where it names something; amounts are whole numbers
-- of smallest units, and 78 digits hold a uint256.

create sequence deposit_index start with 0 minvalue 0;

create table merchant (
    id text collate "C" not null,
    name text not null,
    created_at timestamptz not null,
    fees jsonb not null,
    payments jsonb not null,
    payouts jsonb not null,
    constraint merchant_pkey primary key (id)
);

create table api_key (
    id text collate "C" not null,
    merchant_id text collate "C" not null,
    digest bytea not null,
    created_at timestamptz not null,
    revoked_at timestamptz,
    constraint api_key_pkey primary key (id),
    constraint api_key_merchant_id_fkey foreign key (merchant_id) references merchant (id),
    constraint api_key_digest_key unique (digest)
);

create table quote (
    id text collate "C" not null,
    merchant_id text collate "C" not null,
    price_amount numeric(78) not null,
    price_asset text collate "C" not null,
    due_amount numeric(78) not null,
    due_asset text collate "C" not null,
    rate numeric not null,
    spread_bps integer not null,
    sources jsonb not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    constraint quote_pkey primary key (id)
);

create table payment_intent (
    id text collate "C" not null,
    merchant_id text collate "C" not null,
    price_amount numeric(78) not null,
    price_asset text collate "C" not null,
    due_amount numeric(78) not null,
    due_asset text collate "C" not null,
    quote_id text collate "C" not null,
    method text collate "C" not null,
    pay_to jsonb not null,
    fees jsonb not null,
    policy jsonb not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    attempt jsonb not null,
    status text collate "C" not null,
    exception text collate "C" not null,
    received numeric(78) not null,
    final numeric(78) not null,
    captured numeric(78) not null,
    description text,
    metadata jsonb not null,
    chain text collate "C" generated always as (pay_to ->> 'chain') stored,
    deposit_address text collate "C" generated always as (pay_to ->> 'address') stored,
    constraint payment_intent_pkey primary key (id),
    constraint payment_intent_quote_id_fkey foreign key (quote_id) references quote (id)
);
create unique index payment_intent_deposit_address_key on payment_intent (chain, deposit_address)
    where deposit_address is not null;
create index payment_intent_of_merchant_idx on payment_intent (merchant_id, id);
create index payment_intent_unpaid_idx on payment_intent (chain, expires_at)
    where status = 'requires_payment';

create table escrow (
    id text collate "C" not null,
    intent_id text collate "C" not null,
    merchant_id text collate "C" not null,
    terms jsonb not null,
    payer text collate "C" not null,
    fee jsonb not null,
    state text collate "C" not null,
    held_at timestamptz not null,
    requested text collate "C",
    submission_id text collate "C",
    disputed_at timestamptz,
    ended_at timestamptz,
    payer_amount numeric(78) not null,
    merchant_amount numeric(78) not null,
    auto_release_at timestamptz not null,
    constraint escrow_pkey primary key (id),
    constraint escrow_intent_id_key unique (intent_id),
    constraint escrow_intent_id_fkey foreign key (intent_id) references payment_intent (id)
);
create index escrow_due_for_release_idx on escrow (auto_release_at)
    where state = 'held' and requested is null;

create table ledger_transaction (
    id text collate "C" not null,
    kind text collate "C" not null,
    reference text collate "C" not null,
    effective_at timestamptz not null,
    booked_at timestamptz not null,
    reverses text collate "C",
    position bigint generated always as identity,
    constraint ledger_transaction_pkey primary key (id),
    constraint ledger_transaction_reverses_fkey foreign key (reverses)
        references ledger_transaction (id)
);
create index ledger_transaction_reference_idx on ledger_transaction (reference);

create table posting (
    id bigint generated always as identity,
    transaction_id text collate "C" not null,
    account text collate "C" not null,
    asset text collate "C" not null,
    amount numeric(78) not null,
    constraint posting_pkey primary key (id),
    constraint posting_transaction_id_fkey foreign key (transaction_id)
        references ledger_transaction (id)
);
create index posting_account_idx on posting (account, asset) include (amount);
create index posting_transaction_id_idx on posting (transaction_id);

create table balance (
    account text collate "C" not null,
    asset text collate "C" not null,
    amount numeric(78) not null,
    constraint balance_pkey primary key (account, asset)
);

create table hold (
    id text collate "C" not null,
    reference text collate "C" not null,
    source text collate "C" not null,
    aside text collate "C" not null,
    amount numeric(78) not null,
    asset text collate "C" not null,
    expires_at timestamptz,
    state text collate "C" not null,
    constraint hold_pkey primary key (id)
);

create table settlement (
    id text collate "C" not null,
    merchant_id text collate "C" not null,
    amount numeric(78) not null,
    asset text collate "C" not null,
    created_at timestamptz not null,
    hold_id text collate "C" not null,
    state text collate "C" not null,
    payout_id text collate "C",
    constraint settlement_pkey primary key (id)
);
create index settlement_of_merchant_idx on settlement (merchant_id, id);

create table payout (
    id text collate "C" not null,
    settlement_id text collate "C" not null,
    merchant_id text collate "C" not null,
    amount numeric(78) not null,
    asset text collate "C" not null,
    destination text collate "C" not null,
    hold_id text collate "C" not null,
    created_at timestamptz not null,
    state text collate "C" not null,
    submission_id text collate "C",
    transaction text collate "C",
    reason text,
    constraint payout_pkey primary key (id),
    constraint payout_settlement_id_fkey foreign key (settlement_id) references settlement (id),
    constraint payout_hold_id_fkey foreign key (hold_id) references hold (id)
);
create index payout_settlement_id_idx on payout (settlement_id);

create table webhook_endpoint (
    id text collate "C" not null,
    merchant_id text collate "C" not null,
    url text not null,
    secret text not null,
    created_at timestamptz not null,
    enabled boolean not null,
    types text[] not null,
    constraint webhook_endpoint_pkey primary key (id)
);
create index webhook_endpoint_merchant_id_idx on webhook_endpoint (merchant_id);

create table webhook_delivery (
    id text collate "C" not null,
    endpoint_id text collate "C" not null,
    event_id text collate "C" not null,
    merchant_id text collate "C" not null,
    created_at timestamptz not null,
    state text collate "C" not null,
    tries jsonb not null,
    next_try_at timestamptz,
    constraint webhook_delivery_pkey primary key (id),
    constraint webhook_delivery_endpoint_id_fkey foreign key (endpoint_id)
        references webhook_endpoint (id)
);
create index webhook_delivery_event_id_idx on webhook_delivery (event_id);

create table event_counter (
    merchant_id text collate "C" not null,
    last bigint not null,
    constraint event_counter_pkey primary key (merchant_id)
);

create table event (
    id text collate "C" not null,
    merchant_id text collate "C" not null,
    sequence bigint not null,
    type text collate "C" not null,
    object_id text collate "C" not null,
    occurred_at timestamptz not null,
    data jsonb not null,
    position bigint generated always as identity,
    relayed boolean default false not null,
    constraint event_pkey primary key (id),
    constraint event_merchant_id_sequence_key unique (merchant_id, sequence)
);
create index event_unrelayed_idx on event (position) where relayed is false;

create table job (
    id text collate "C" not null,
    name text collate "C" not null,
    arguments jsonb not null,
    run_at timestamptz not null,
    state text collate "C" not null,
    attempts integer not null,
    attempts_max integer not null,
    dedupe_key text collate "C",
    lease_until timestamptz,
    last_error text,
    constraint job_pkey primary key (id)
);
create unique index job_dedupe_key on job (dedupe_key) where state in ('ready', 'running');
create index job_ready_idx on job (run_at, id) where state = 'ready';
create index job_running_idx on job (lease_until) where state = 'running';

create table idempotency_key (
    owner text collate "C" not null,
    key text collate "C" not null,
    fingerprint bytea not null,
    body bytea not null,
    kept_at timestamptz default now() not null,
    constraint idempotency_key_pkey primary key (owner, key)
);

create table chain_cursor (
    chain text collate "C" not null,
    first bigint not null,
    seen jsonb not null,
    final jsonb not null,
    parked text,
    constraint chain_cursor_pkey primary key (chain)
);

create table chain_block (
    chain text collate "C" not null,
    number bigint not null,
    hash text collate "C" not null,
    parent text collate "C" not null,
    time timestamptz not null,
    constraint chain_block_pkey primary key (chain, number)
);

create table observation (
    chain text collate "C" not null,
    transaction text collate "C" not null,
    position bigint not null,
    block_number bigint not null,
    block_hash text collate "C" not null,
    block_parent text collate "C" not null,
    block_time timestamptz not null,
    fact jsonb not null,
    finality text collate "C" not null,
    paid_escrow text collate "C",
    constraint observation_pkey primary key (chain, transaction, position)
);
create index observation_paid_escrow_idx on observation (paid_escrow)
    where paid_escrow is not null;
create index observation_block_idx on observation (chain, block_number, position);

create table submission (
    id text collate "C" not null,
    chain text collate "C" not null,
    instruction jsonb not null,
    purpose text collate "C" not null,
    created_at timestamptz not null,
    state text collate "C" not null,
    hash text collate "C",
    raw bytea,
    sender text collate "C",
    sequence bigint,
    signed_at timestamptz,
    reason text,
    constraint submission_pkey primary key (id)
);
create unique index submission_hash_key on submission (chain, hash) where hash is not null;
create index submission_open_idx on submission (chain, created_at)
    where state in ('queued', 'signed', 'broadcast', 'unknown');

create table sender_sequence (
    chain text collate "C" not null,
    sender text collate "C" not null,
    last bigint not null,
    constraint sender_sequence_pkey primary key (chain, sender)
);
