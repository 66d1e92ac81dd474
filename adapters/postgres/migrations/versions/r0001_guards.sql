-- What the database keeps true by itself, whoever writes to it.

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is never changed, only added to', tg_table_name
        using errcode = 'integrity_constraint_violation', table = tg_table_name;
end
$$;

create trigger ledger_transaction_is_never_changed
    before update or delete or truncate on ledger_transaction
    for each statement execute function refuse_change();

create trigger posting_is_never_changed
    before update or delete or truncate on posting
    for each statement execute function refuse_change();

-- Every statement that adds postings adds such as sum to zero for each transaction and asset, so
-- every transaction balances at any moment, not only at the commit.
create function refuse_unbalanced() returns trigger language plpgsql as $$
declare
    excess record;
begin
    select transaction_id, asset, sum(amount) as amount into excess
    from added group by transaction_id, asset having sum(amount) <> 0 limit 1;
    if found then
        raise exception 'transaction % has % of % too much',
            excess.transaction_id, excess.amount, excess.asset
            using errcode = 'check_violation', table = tg_table_name,
                constraint = 'posting_balanced';
    end if;
    return null;
end
$$;

create trigger posting_is_balanced
    after insert on posting referencing new table as added
    for each statement execute function refuse_unbalanced();

-- A trigger and not a check constraint: a check would look at the row an upsert proposes, which is
-- the change and may be negative, and not only at the balance that comes of it. The detail names
-- the balance; neither accounts nor assets contain spaces.
create function refuse_overdraft() returns trigger language plpgsql as $$
begin
    raise exception 'insufficient funds'
        using errcode = 'check_violation', table = tg_table_name,
            constraint = 'balance_not_negative', detail = new.account || ' ' || new.asset;
end
$$;

create trigger balance_is_not_negative
    after insert or update on balance
    for each row when (new.amount < 0) execute function refuse_overdraft();

-- Takes a key and then looks for its answer: each statement of a volatile function sees what was
-- committed before it began, so an answer that the last holder of the key committed is not missed.
create function claim_idempotency_key(
    owner_ text, key_ text, out claimed boolean, out fingerprint bytea, out body bytea
) language plpgsql volatile as $$
begin
    claimed := pg_try_advisory_xact_lock(hashtextextended(owner_ || chr(31) || key_, 0));
    if claimed then
        select kept.fingerprint, kept.body into fingerprint, body
        from idempotency_key kept where kept.owner = owner_ and kept.key = key_;
    end if;
end
$$;
