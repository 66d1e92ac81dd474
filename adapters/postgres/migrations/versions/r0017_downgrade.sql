-- Back to the schema before.
drop function begin_sealing_audit();
drop table audit_seal;
drop table audit_entry;

create or replace function begin_sealing(limit_ bigint) returns setof text language plpgsql volatile rows 100
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

drop function settled(sealing_progress, regclass, bigint);
delete from sealing_progress where id = 2;
alter table sealing_progress
    drop constraint sealing_progress_two_rows_check,
    add constraint sealing_progress_one_row_check check (id = 1);
