-- Back to the schema before. The role stays: other databases of the server may need it.

revoke all on alembic_version, chain_cursor, chain_stretch, chain_block, observation, parked_asset,
    book_rate, newest_rate, job, paused_queue from switchyard_api;
revoke all on sequence deposit_index from switchyard_api;

do $$
declare
    table_ regclass;
begin
    for table_ in
        select polrelid from pg_policy
        join pg_class on pg_class.oid = polrelid and relnamespace = current_schema()::regnamespace
        where polname = 'of_acting_merchant'
    loop
        call let_together(table_);
    end loop;
    execute format('revoke usage on schema %I from switchyard_api', current_schema());
end
$$;

drop procedure let_together(regclass);
drop procedure keep_apart(regclass, text, text, text);
