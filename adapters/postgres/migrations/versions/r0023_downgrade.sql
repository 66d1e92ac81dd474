-- Back to what others have paid, less what was swept.

with changed (chain, address, asset, amount) as (
    select funding.chain, funding.instruction ->> 'target',
        funding.instruction -> 'money' ->> 'asset',
        (funding.instruction -> 'money' ->> 'amount')::numeric
    from submission funding
    where funding.instruction ->> 'type' = 'FundGas' and funding.state = 'confirmed'
    union all
    select sweep.chain, sweep.instruction ->> 'source', fee.asset, fee.amount
    from submission sweep
    join ledger_transaction booked
        on booked.reference = sweep.id and booked.kind = 'network_fee'
    join posting fee on fee.transaction_id = booked.id and fee.account like '%:deposits'
    where sweep.instruction ->> 'type' = 'SweepDeposit'
    union all
    select charged.chain, charged.fact ->> 'wallet', charged.fact -> 'cost' ->> 'asset',
        -(charged.fact -> 'cost' ->> 'amount')::numeric
    from observation charged
    where charged.fact ->> 'type' = 'WalletCharged' and charged.fact ->> 'wallet' is not null
        and charged.finality = 'final'
)
insert into deposit_holding (chain, address, asset, amount)
select changed.chain, changed.address, changed.asset, -sum(changed.amount)
from changed
group by 1, 2, 3
on conflict (chain, address, asset)
    do update set amount = deposit_holding.amount + excluded.amount;
