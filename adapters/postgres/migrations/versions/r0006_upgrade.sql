-- Payments in Telegram Stars.

create table star_payment (
    id text collate "C" not null,
    payer bigint not null,
    payload text not null,
    amount numeric(78) not null,
    paid_at timestamptz not null,
    role text collate "C" not null,
    intent_id text collate "C",
    matures_at timestamptz not null,
    state text collate "C" not null,
    listed boolean not null,
    reason text,
    constraint star_payment_pkey primary key (id)
);
create unique index star_payment_of_intent_key on star_payment (intent_id)
    where role = 'payment';
create index star_payment_maturing_idx on star_payment (matures_at) where state = 'held';
create index star_payment_refunding_idx on star_payment (paid_at) where state = 'refunding';
create index star_payment_unlisted_idx on star_payment (paid_at) where not listed;

create table star_reading (
    id text collate "C" not null,
    lines bigint not null,
    constraint star_reading_pkey primary key (id)
);
