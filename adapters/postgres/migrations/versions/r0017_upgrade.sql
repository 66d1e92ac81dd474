-- What API keys and operators did, in a chain of hashes.

create table audit_entry (
    sequence bigint generated always as identity,
    at timestamptz not null,
    actor text collate "C",
    actor_id text collate "C",
    merchant_id text collate "C",
    action text collate "C" not null,
    objects text[] collate "C" not null,
    outcome text collate "C" not null,
    status integer,
    problem text collate "C",
    times integer not null,
    request_id text collate "C",
    address text collate "C",
    detail text,
    constraint audit_entry_pkey primary key (sequence)
);
create index audit_entry_at_idx on audit_entry (at);
create index audit_entry_of_merchant_idx on audit_entry (merchant_id, at)
    where merchant_id is not null;
create index audit_entry_of_actor_idx on audit_entry (actor_id, at) where actor_id is not null;
create index audit_entry_of_action_idx on audit_entry (action, at);
create index audit_entry_of_object_idx on audit_entry using gin (objects);
create trigger audit_entry_is_never_changed
    before update or delete or truncate on audit_entry
    for each statement execute function refuse_change();

create table audit_seal (
    number bigint not null,
    last bigint not null,
    marks bytea not null,
    hash bytea not null,
    constraint audit_seal_pkey primary key (number),
    constraint audit_seal_last_key unique (last)
);
create trigger audit_seal_is_never_changed
    before update or delete or truncate on audit_seal
    for each statement execute function refuse_change();

-- The second row is the audit log's. How far its seals go, the newest one says.
alter table sealing_progress
    drop constraint sealing_progress_one_row_check,
    add constraint sealing_progress_two_rows_check check (id in (1, 2));

-- Returns how far sealing can go now: up to `settled` nothing will appear that is not there yet.
--
-- Whoever has taken a place holds a lock on the table, taken before, until its commit can be seen.
-- So once all who held one after `ahead` was read are over, nothing will appear up to there; where
-- nobody holds one now, nothing will up to `newest`, which was read before.
create function settled(progress sealing_progress, relation_ regclass, newest bigint)
returns sealing_progress language plpgsql volatile as $$
declare
    writing text[] := array(
        select virtualtransaction from pg_locks
        where locktype = 'relation' and relation = relation_
            and database = (select oid from pg_database where datname = current_database())
            and mode = 'RowExclusiveLock' and pid is distinct from pg_backend_pid()
    );
begin
    if writing = '{}' then
        progress.settled := newest;
        progress.ahead := newest;
        progress.writers := '{}';
    elsif not progress.writers && writing then
        progress.settled := progress.ahead;
        progress.ahead := newest;
        progress.writers := writing;
    end if;
    return progress;
end
$$;

-- As it was, with what is the audit log's as well said once, above.
create or replace function begin_sealing(limit_ bigint)
returns setof text language plpgsql volatile rows 100
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off
set enable_hashjoin = off set enable_mergejoin = off as $$
declare
    progress sealing_progress;
    newest bigint;
    ids text[];
    places bigint[];
begin
    insert into sealing_progress values (1, 0, 0, 0, '{}') on conflict do nothing;
    select * into strict progress from sealing_progress where id = 1 for update;
    select last_value into newest from ledger_transaction_position_seq;
    progress := settled(progress, 'ledger_transaction', newest);
    select array_agg(id), array_agg(position) into ids, places
    from (
        select id, position from ledger_transaction booked
        where position > progress.sealed
            and not exists (select from ledger_seal where transaction_id = booked.id)
        order by position limit limit_
    ) unsealed;
    update sealing_progress set
        sealed = least(progress.settled, places[1] - 1), settled = progress.settled,
        ahead = progress.ahead, writers = progress.writers
    where id = 1;
    return query select unnest(ids);
end
$$;

-- Returns the last place up to which the audit log may be sealed, and keeps other sealers out until
-- the end of the transaction. What it covers is to be read by another statement, which sees what
-- was committed by now.
create function begin_sealing_audit() returns bigint language plpgsql volatile as $$
declare
    progress sealing_progress;
    newest bigint;
begin
    insert into sealing_progress values (2, 0, 0, 0, '{}') on conflict do nothing;
    select * into strict progress from sealing_progress where id = 2 for update;
    select last_value - (not is_called)::int into newest from audit_entry_sequence_seq;
    progress := settled(progress, 'audit_entry', newest);
    update sealing_progress set
        settled = progress.settled, ahead = progress.ahead, writers = progress.writers
    where id = 2;
    return progress.settled;
end
$$;
