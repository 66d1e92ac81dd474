-- What test accounts order for themselves.

create table sandbox_order (
    id text collate "C" not null,
    merchant_id text collate "C" not null,
    task jsonb not null,
    state text collate "C" not null,
    created_at timestamptz not null,
    begun_at timestamptz,
    ended_at timestamptz,
    reason text,
    transaction_hash text collate "C",
    constraint sandbox_order_pkey primary key (id)
);

alter table webhook_endpoint
    add column simulated text collate "C",
    add column simulated_times integer not null default 0;
