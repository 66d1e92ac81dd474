-- People, their roles, and changes of payout destinations.

create table person (
    id text collate "C" not null,
    email text collate "C" not null,
    name text not null,
    created_at timestamptz not null,
    platform_role text collate "C",
    constraint person_pkey primary key (id),
    constraint person_email_key unique (email)
);

create table member (
    merchant_id text collate "C" not null,
    user_id text collate "C" not null,
    role text collate "C" not null,
    constraint member_pkey primary key (merchant_id, user_id),
    constraint member_merchant_id_fkey foreign key (merchant_id) references merchant (id),
    constraint member_user_id_fkey foreign key (user_id) references person (id)
);
create index member_user_id_idx on member (user_id);

create table payout_destination_change (
    id text collate "C" not null,
    merchant_id text collate "C" not null,
    chain text collate "C" not null,
    address text collate "C" not null,
    replaces text collate "C",
    requested_by text collate "C" not null,
    requested_at timestamptz not null,
    lapses_at timestamptz not null,
    state text collate "C" not null,
    approved_by text collate "C",
    approved_at timestamptz,
    effective_at timestamptz,
    ended_by text collate "C",
    ended_at timestamptz,
    reason text,
    constraint payout_destination_change_pkey primary key (id),
    constraint payout_destination_change_merchant_id_fkey
        foreign key (merchant_id) references merchant (id)
);
create unique index payout_destination_change_open_key
    on payout_destination_change (merchant_id, chain)
    where state in ('awaiting_approval', 'cooling_down');
create index payout_destination_change_of_merchant_idx
    on payout_destination_change (merchant_id, id);

-- Of keys there are already nobody knows which one made which: none of them approves a change.
alter table api_key add column root text collate "C";
