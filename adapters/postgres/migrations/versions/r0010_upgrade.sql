-- Reading: ranges that were covered, and by whom.

alter table chain_cursor add column gap bigint;

create table chain_stretch (
    chain text collate "C" not null,
    first bigint not null,
    before text collate "C",
    last bigint not null,
    last_hash text collate "C" not null,
    provider text collate "C" not null,
    began_at timestamptz not null,
    ended_at timestamptz not null,
    primary key (chain, first)
);

-- What was read before had no gap, by the cursor's word; nobody has kept who showed it.
insert into chain_stretch (chain, first, last, last_hash, provider, began_at, ended_at)
select
    chain,
    first,
    (seen ->> 'number')::bigint,
    seen ->> 'hash',
    '',
    now(),
    now()
from chain_cursor
where (seen ->> 'number')::bigint >= first;
