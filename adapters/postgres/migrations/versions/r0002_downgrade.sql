-- Back to the schema before; the books stay, what they were worth and their seals do not.

drop trigger payment_intent_is_due_in_what_moves on payment_intent;
drop function refuse_parked, begin_sealing;
drop table checkpoint, parked_asset, sealing_progress, ledger_seal, newest_rate, book_rate;
drop function book_value;

drop index hold_lapsing_idx, ledger_transaction_effective_at_idx, ledger_transaction_reverses_key;
alter table ledger_transaction drop constraint ledger_transaction_position_key, drop column note;

create or replace function refuse_unbalanced() returns trigger language plpgsql as $$
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

alter table posting add column id bigint;
alter table posting disable trigger posting_is_never_changed;
update posting set id = numbered.id
from (
    select transaction_id, line, row_number() over (order by booked.position, line) as id
    from posting join ledger_transaction booked on booked.id = transaction_id
) numbered
where numbered.transaction_id = posting.transaction_id and numbered.line = posting.line;
alter table posting enable trigger posting_is_never_changed;
alter table posting
    drop constraint posting_pkey,
    drop column line,
    drop column value,
    drop column rate_id,
    alter column id set not null,
    alter column id add generated always as identity,
    add constraint posting_pkey primary key (id),
    add constraint posting_transaction_id_fkey foreign key (transaction_id)
        references ledger_transaction (id);
select setval(pg_get_serial_sequence('posting', 'id'), coalesce(max(id), 0) + 1, false)
from posting;
create index posting_transaction_id_idx on posting (transaction_id);
drop index posting_account_idx;
create index posting_account_idx on posting (account, asset) include (amount);
