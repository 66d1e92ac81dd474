-- Rows of merchants, kept apart by the database.
--
-- The API's process runs its statements as the role below, and says in `switchyard.merchant` whose
-- rows it may see: a merchant's, those of all, which is '*', or, saying nothing, none. The tables'
-- owner is not held to that: workers, operators' commands and migrations see everything.

-- Roles belong to the whole server, and another database's migration may make it at this moment.
-- Whoever may not make roles has it made before (docs/operations/database.md).
do $$
begin
    if not exists (select from pg_roles where rolname = 'switchyard_api') then
        create role switchyard_api nologin;
    end if;
exception when duplicate_object or unique_violation then
    null;
end
$$;

-- The user that the API logs in as becomes that role. Here it is the one that migrates; where it is
-- another one, he is granted it by hand. To have made it is not enough to become it.
do $$
begin
    if not (select rolsuper from pg_roles where rolname = current_user) then
        execute format('grant switchyard_api to %I', current_user);
    end if;
exception when insufficient_privilege then
    raise notice '% is not granted switchyard_api, and cannot grant it to himself', current_user;
end
$$;

do $$
begin
    execute format('grant usage on schema %I to switchyard_api', current_schema());
end
$$;

-- Keeps a table's rows apart, and lets the API do something with its own.
--   mine: what is true of a row of the acting merchant, who is called `me` in it.
--   rights: what the API may do with such rows; nothing, where it need not.
--   written: what is to be true of a row that it writes, where that is something else.
--
-- `me` is asked for again at each row: a query for it, which would be carried out once, costs every
-- statement more than a row does. Whether a row is the merchant's own comes before whether all may
-- be seen.
create procedure keep_apart(
    table_ regclass, mine text, rights text default null, written text default null
) language plpgsql as $$
declare
    me constant text := 'current_setting(''switchyard.merchant'', true)';
    visible constant text := regexp_replace(mine, '\mme\M', me, 'g');
    written_ constant text := regexp_replace(coalesce(written, mine), '\mme\M', me, 'g');
begin
    execute format('alter table %s enable row level security', table_);
    execute format(
        'create policy of_acting_merchant on %s to switchyard_api '
        'using ((%s) or %3$s = ''*'') with check ((%4$s) or %3$s = ''*'')',
        table_, visible, me, written_
    );
    if rights is not null then
        execute format('grant %s on %s to switchyard_api', rights, table_);
    end if;
end
$$;

-- Undoes it.
create procedure let_together(table_ regclass) language plpgsql as $$
begin
    execute format('revoke all on %s from switchyard_api', table_);
    execute format('drop policy of_acting_merchant on %s', table_);
    execute format('alter table %s disable row level security', table_);
end
$$;

call keep_apart('merchant', 'id = me', 'select, update');
call keep_apart('api_key', 'merchant_id = me', 'select, insert, update');
call keep_apart('quote', 'merchant_id = me', 'select, insert');
call keep_apart('payment_intent', 'merchant_id = me', 'select, insert, update');
call keep_apart('escrow', 'merchant_id = me', 'select, update');
call keep_apart('event', 'merchant_id = me', 'select, insert');
call keep_apart('event_counter', 'merchant_id = me', 'select, insert, update');
call keep_apart('idempotency_key', 'owner = me', 'select, insert, update');
call keep_apart('settlement', 'merchant_id = me', 'select');
call keep_apart('payout', 'merchant_id = me', 'select');
call keep_apart('webhook_endpoint', 'merchant_id = me', 'select, insert, update');
call keep_apart('webhook_delivery', 'merchant_id = me', 'select, insert, update');
call keep_apart('customer_address', 'merchant_id = me', 'select, insert, update');
call keep_apart('deposit', 'merchant_id = me', 'select');
call keep_apart('sandbox_order', 'merchant_id = me', 'select, insert, update');
call keep_apart('audit_entry', 'merchant_id = me', 'select, insert');
call keep_apart('member', 'merchant_id = me', 'select, insert, update, delete');
call keep_apart('payout_destination_change', 'merchant_id = me', 'select, insert, update');

-- What lies below is a merchant's if what it belongs to is: the query inside a rule finds no rows
-- but those the rule of the other table shows.
call keep_apart(
    'api_key_usage', 'exists (select from api_key where id = key_id)', 'select, insert, update'
);
call keep_apart(
    'api_key_quota', 'exists (select from api_key where id = key_id)', 'select, insert, update'
);
call keep_apart(
    'star_payment', 'exists (select from payment_intent where id = intent_id)',
    'select, insert, update'
);
call keep_apart(
    'suspense_item',
    $$exists (select from payment_intent where id = paid_to)
    or exists (select from customer_address where id = paid_to)$$,
    'select, insert, update'
);
call keep_apart(
    'suspense_decision', 'exists (select from suspense_item where id = item_id)', 'select, insert'
);

-- What is asked of the chains for an escrow or a payout of the merchant's. It is queued here, and
-- read by who sends it.
call keep_apart(
    'submission',
    'exists (select from escrow where id = purpose) or exists (select from payout where id = purpose)',
    'insert'
);

-- Accounts of merchants are called `merchant:<id>:…`, and a semicolon follows a colon. Of what was
-- booked for an object of theirs merchants see the other sides too.
call keep_apart(
    'balance', 'account > ''merchant:'' || me || '':'' and account < ''merchant:'' || me || '';''',
    'select, insert, update'
);
call keep_apart(
    'hold', 'source > ''merchant:'' || me || '':'' and source < ''merchant:'' || me || '';'''
);
call keep_apart(
    'ledger_transaction',
    $$exists (select from payment_intent where id = reference)
    or exists (select from escrow where id = reference)
    or exists (select from settlement where id = reference)
    or exists (select from payout where id = reference)
    or exists (select from deposit where id = reference)$$,
    'select, insert'
);
-- The transaction is added by the same statement, and a rule cannot see it yet. So nothing may be
-- posted to accounts of others: merchants', their customers', and those of escrows.
call keep_apart(
    'posting',
    $$account > 'merchant:' || me || ':' and account < 'merchant:' || me || ';'
    or exists (select from ledger_transaction where id = transaction_id)$$,
    'select, insert',
    $$account > 'merchant:' || me || ':' and account < 'merchant:' || me || ';'
    or split_part(account, ':', 1) not in ('merchant', 'customer', 'escrow')$$
);

-- Tables that are no merchant's, as far as the API needs them.
grant select on alembic_version to switchyard_api;
grant select on chain_cursor, chain_stretch, chain_block, observation to switchyard_api;
grant select on parked_asset, book_rate, newest_rate to switchyard_api;
grant select, insert, update, delete on job, paused_queue to switchyard_api;
grant usage on sequence deposit_index to switchyard_api;
