-- Books: seals, values, parked assets.

-- A posting is named by its transaction and its line there; one index finds it both ways. The old
-- number goes, and with it the order is written down that it stood for.
alter table posting add column line smallint;
alter table posting disable trigger posting_is_never_changed;
update posting set line = numbered.line
from (
    select id, row_number() over (partition by transaction_id order by id) - 1 as line from posting
) numbered where numbered.id = posting.id;
alter table posting enable trigger posting_is_never_changed;

-- What the foreign key did for each posting, the trigger below does once for each transaction. The
-- other half of a foreign key, that nothing named is taken away, was never needed: no transaction
-- is ever changed or deleted.
alter table posting
    drop constraint posting_pkey,
    drop constraint posting_transaction_id_fkey,
    drop column id,
    alter column line set not null,
    add constraint posting_pkey primary key (transaction_id, line),
    add column value numeric(78),
    add column rate_id bigint;
drop index posting_transaction_id_idx;

-- Without the asset and the amount an account is kept once for many postings, in a fifth of the
-- room. The sums that were read from the index alone read as many pages of the table now.
drop index posting_account_idx;
create index posting_account_idx on posting (account);

-- Every statement that adds postings adds such as belong to a transaction and sum to zero for each
-- transaction and asset, so every transaction balances at any moment, not only at the commit. The
-- transaction is looked for by a scalar query, which is always a look into the primary key.
create or replace function refuse_unbalanced() returns trigger language plpgsql as $$
declare
    wrong record;
begin
    if not exists (
        select from added group by transaction_id, asset
        having sum(amount) <> 0
            or (select true from ledger_transaction where id = transaction_id) is null
    ) then
        return null;
    end if;
    select transaction_id, asset, sum(amount) as excess into wrong
    from added group by transaction_id, asset
    order by sum(amount) = 0 limit 1;
    if wrong.excess <> 0 then
        raise exception 'transaction % has % of % too much',
            wrong.transaction_id, wrong.excess, wrong.asset
            using errcode = 'check_violation', table = tg_table_name,
                constraint = 'posting_balanced';
    end if;
    raise exception 'postings of a transaction that is not there'
        using errcode = 'foreign_key_violation', table = tg_table_name,
            constraint = 'posting_transaction_id_fkey';
end
$$;

alter table ledger_transaction
    add column note text,
    add constraint ledger_transaction_position_key unique (position);
create unique index ledger_transaction_reverses_key on ledger_transaction (reverses)
    where reverses is not null;

-- Rows come nearly in the order of these times: a few bytes for many of them tell where to look.
create index ledger_transaction_effective_at_idx on ledger_transaction using brin (effective_at)
    with (pages_per_range = 32, autosummarize = on);

create index hold_lapsing_idx on hold (expires_at) where state = 'pending';

create table book_rate (
    id bigint generated always as identity,
    asset text collate "C" not null,
    currency text collate "C" not null,
    per_unit numeric not null,
    observed_at timestamptz not null,
    constraint book_rate_pkey primary key (id)
);
create trigger book_rate_is_never_changed
    before update or delete or truncate on book_rate
    for each statement execute function refuse_change();

create table newest_rate (
    asset text collate "C" not null,
    rate_id bigint not null,
    per_unit numeric not null,
    observed_at timestamptz not null,
    constraint newest_rate_pkey primary key (asset),
    constraint newest_rate_rate_id_fkey foreign key (rate_id) references book_rate (id)
);

-- Rounds half to even, which `round` does not: it takes every half away from zero.
create function book_value(amount numeric, per_unit numeric) returns numeric
language sql immutable parallel safe as $$
    select round(amount * per_unit) - case
        when abs(amount * per_unit - trunc(amount * per_unit)) = 0.5
            and round(amount * per_unit) % 2 <> 0
        then sign(amount) else 0
    end
$$;

create table ledger_seal (
    number bigint not null,
    transaction_id text collate "C" not null,
    hash bytea not null,
    constraint ledger_seal_pkey primary key (number),
    constraint ledger_seal_transaction_id_key unique (transaction_id),
    constraint ledger_seal_transaction_id_fkey foreign key (transaction_id)
        references ledger_transaction (id)
);
create trigger ledger_seal_is_never_changed
    before update or delete or truncate on ledger_seal
    for each statement execute function refuse_change();

-- Places are given out in one order and committed in another, so after the last one sealed there
-- may be a gap that is filled later.
--   sealed: up to here every transaction has its seal, and none will appear.
--   settled: up to here no transaction will appear that is not to be seen yet.
--   ahead: the last place given out when `writers` were all who could still hold one up to it.
create table sealing_progress (
    id integer not null,
    sealed bigint not null,
    settled bigint not null,
    ahead bigint not null,
    writers text[] not null,
    constraint sealing_progress_pkey primary key (id),
    constraint sealing_progress_one_row_check check (id = 1)
);

-- Returns the oldest transactions without a seal, and keeps other sealers out until the end of the
-- transaction.
--
-- Whoever has taken a place holds a lock on the table of transactions, taken before, until its
-- commit can be seen. So once all who held one after `ahead` was read are over, nothing will
-- appear up to there. The order of the statements matters, and that each sees what is committed
-- by then.
--
-- The settings leave the planner one way: along the places from the last one sealed, with one look
-- for each seal. It reads no more rows than it returns and than were sealed since that place was
-- noted; by its estimates the planner would read all books where much waits to be sealed.
create function begin_sealing(limit_ bigint) returns setof text language plpgsql volatile rows 100
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off
set enable_hashjoin = off set enable_mergejoin = off as $$
declare
    progress sealing_progress;
    newest bigint;
    writing text[];
    ids text[];
    places bigint[];
begin
    insert into sealing_progress values (1, 0, 0, 0, '{}') on conflict do nothing;
    select * into strict progress from sealing_progress for update;
    select last_value into newest from ledger_transaction_position_seq;
    writing := array(
        select virtualtransaction from pg_locks
        where locktype = 'relation' and relation = 'ledger_transaction'::regclass
            and database = (select oid from pg_database where datname = current_database())
            and mode = 'RowExclusiveLock' and pid is distinct from pg_backend_pid()
    );
    if not progress.writers && writing then
        progress.settled := progress.ahead;
        progress.ahead := newest;
        progress.writers := writing;
    end if;
    select array_agg(id), array_agg(position) into ids, places
    from (
        select id, position from ledger_transaction booked
        where position > progress.sealed
            and not exists (select from ledger_seal where transaction_id = booked.id)
        order by position limit limit_
    ) unsealed;
    update sealing_progress set
        sealed = least(progress.settled, places[1] - 1), settled = progress.settled,
        ahead = progress.ahead, writers = progress.writers;
    return query select unnest(ids);
end
$$;

create table parked_asset (
    asset text collate "C" not null,
    reason text not null,
    entry text collate "C",
    at timestamptz not null,
    constraint parked_asset_pkey primary key (asset)
);

create table checkpoint (
    account text collate "C" not null,
    asset text collate "C" not null,
    block bigint not null,
    constraint checkpoint_pkey primary key (account, asset)
);

-- The detail names the asset and then, after a space, why it is parked.
create function refuse_parked() returns trigger language plpgsql as $$
declare
    reason_ text;
begin
    select reason into reason_ from parked_asset where asset = new.due_asset;
    if found then
        raise exception 'the asset is parked'
            using errcode = 'check_violation', table = tg_table_name,
                constraint = 'asset_not_parked', detail = new.due_asset || ' ' || reason_;
    end if;
    return null;
end
$$;

create trigger payment_intent_is_due_in_what_moves
    after insert on payment_intent
    for each row execute function refuse_parked();
