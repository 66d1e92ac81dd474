-- Suspense: what an operator decides of money that nobody could assign.

create table suspense_item (
    id text collate "C" not null,
    chain text collate "C" not null,
    transaction text collate "C" not null,
    position bigint not null,
    part integer not null,
    amount numeric(78) not null,
    remaining numeric(78) not null,
    asset text collate "C" not null,
    source text collate "C" not null,
    target text collate "C" not null,
    memo text,
    why text collate "C" not null,
    paid_to text collate "C",
    counted_by text collate "C",
    paid_at timestamptz not null,
    changed_at timestamptz not null,
    state text collate "C" not null,
    payout_id text collate "C",
    constraint suspense_item_pkey primary key (id)
);
create index suspense_item_waiting_idx on suspense_item (paid_at, id)
    where state in ('open', 'returning');
create index suspense_item_paid_idx on suspense_item (paid_at, id);
create index suspense_item_counted_idx on suspense_item (counted_by)
    where counted_by is not null;
create unique index suspense_item_payout_key on suspense_item (payout_id)
    where payout_id is not null;

create table suspense_decision (
    id text collate "C" not null,
    item_id text collate "C" not null,
    verdict text collate "C" not null,
    amount numeric(78) not null,
    asset text collate "C" not null,
    by text not null,
    note text not null,
    at timestamptz not null,
    intent_id text collate "C",
    taken_from text collate "C",
    destination text collate "C",
    payout_id text collate "C",
    constraint suspense_decision_pkey primary key (id),
    constraint suspense_decision_item_id_fkey foreign key (item_id) references suspense_item (id)
);
create index suspense_decision_item_id_idx on suspense_decision (item_id);

create trigger suspense_decision_is_never_changed
    before update or delete or truncate on suspense_decision
    for each statement execute function refuse_change();

-- What gives money back pays no settlement, and no merchant.
alter table payout
    alter column settlement_id drop not null,
    alter column merchant_id drop not null;

-- What lies in suspense already. Each payment was booked when its observation became final, in the
-- name of its intent or, without one, of its transaction, and at the time of its block.
with booked as (
    select entry.reference, entry.effective_at, held.account, held.asset, held.amount,
        row_number() over (
            partition by entry.reference, entry.effective_at, held.asset, held.amount
            order by entry.position
        ) as number
    from ledger_transaction entry
    join posting held on held.transaction_id = entry.id and held.amount > 0
    where entry.kind = 'deposit'
        and not exists (select from ledger_transaction undone where undone.reverses = entry.id)
), paid as (
    select seen.chain, seen.transaction, seen.position, seen.block_number, seen.block_time,
        seen.fact -> 'money' ->> 'asset' as asset,
        (seen.fact -> 'money' ->> 'amount')::numeric as amount,
        seen.fact ->> 'source' as source, seen.fact ->> 'target' as target,
        seen.fact ->> 'memo' as memo, coalesce(addressed.id, named.id) as intent_id
    from observation seen
    left join payment_intent addressed
        on addressed.chain = seen.chain and addressed.deposit_address = seen.fact ->> 'target'
    left join payment_intent named
        on named.chain = seen.chain and named.memo = translate(
            upper(regexp_replace(seen.fact ->> 'memo', '[\s-]+', '', 'g')), 'OIL', '011'
        )
    where seen.finality = 'final' and seen.fact ->> 'type' = 'Transfer'
        and not exists (  -- What another fact accounts for: a payment into the contract.
            select from observation escrow
            where escrow.chain = seen.chain and escrow.transaction = seen.transaction
                and escrow.paid_escrow is not null
                and escrow.fact ->> 'payer' = seen.fact ->> 'source'
                and escrow.fact -> 'money' = seen.fact -> 'money'
        )
), numbered as (
    select paid.*, coalesce(intent_id, transaction) as reference,
        row_number() over (
            partition by coalesce(intent_id, transaction), block_time, asset, amount
            order by block_number, position
        ) as number,
        -- What an intent has captured is its oldest money: what is left is the newest.
        sum(amount) over (
            partition by intent_id, asset order by block_number desc, position desc, transaction
        ) - amount as newer
    from paid
), lying as (
    select numbered.*, intent.exception, intent.captured, intent.final, intent.due_amount,
        intent.due_asset = numbered.asset as is_counted, booked.account,
        case when intent.due_asset = numbered.asset
            then least(numbered.amount, intent.final - intent.captured - numbered.newer)
            else numbered.amount
        end as remaining
    from numbered
    join booked on (booked.reference, booked.effective_at, booked.asset, booked.amount,
        booked.number) = (numbered.reference, numbered.block_time, numbered.asset,
        numbered.amount, numbered.number)
    left join payment_intent intent on intent.id = numbered.intent_id
)
insert into suspense_item (
    id, chain, transaction, position, part, amount, remaining, asset, source, target, memo, why,
    paid_to, counted_by, paid_at, changed_at, state
)
select chain || '/' || transaction || '/' || position, chain, transaction, position, 1, amount,
    remaining, asset, source, target, memo,
    case
        when intent_id is null and account like '%:escrow' then 'in_contract'
        when intent_id is null and memo <> '' then 'unknown_memo'
        when intent_id is null then 'no_memo'
        when not is_counted then 'wrong_asset'
        when exception = 'late' then 'late'
        when captured > 0 or final > due_amount then 'overpaid'
        else 'underpaid'
    end,
    intent_id, case when is_counted then intent_id end, block_time, block_time, 'open'
from lying
where remaining > 0;
