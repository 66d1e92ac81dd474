-- API keys: modes, scopes, names, expiry, networks, usage and quotas.

-- All keys there are say `sy_test_`.
alter table merchant
    add column mode text collate "C" not null default 'test',
    add column twin text collate "C",
    add constraint merchant_twin_fkey foreign key (twin) references merchant (id),
    add constraint merchant_mode_check check (mode in ('test', 'live'));
alter table merchant alter column mode drop default;

-- Keys there are go on opening everything from everywhere, and are called by their ids.
alter table api_key
    add column name text,
    add column masked text not null default 'sy_test_…',
    add column scopes text[] not null default '{*}',
    add column networks text[] not null default '{}',
    add column expires_at timestamptz,
    add column last_used_at timestamptz;
update api_key set name = id;
alter table api_key
    alter column name set not null,
    alter column masked drop default,
    alter column scopes drop default,
    alter column networks drop default;
create index api_key_merchant_id_idx on api_key (merchant_id);

create table api_key_usage (
    key_id text collate "C" not null,
    day date not null,
    status_class smallint not null,
    count bigint not null,
    constraint api_key_usage_pkey primary key (key_id, day, status_class),
    constraint api_key_usage_key_id_fkey foreign key (key_id) references api_key (id)
);

-- What processes have taken of the window named. What was taken in one that is over is forgotten.
create table api_key_quota (
    key_id text collate "C" not null,
    kind text collate "C" not null,
    window_number bigint not null,
    taken bigint not null,
    granted bigint not null,
    constraint api_key_quota_pkey primary key (key_id, kind),
    constraint api_key_quota_key_id_fkey foreign key (key_id) references api_key (id)
);
