-- Back to the schema before.

-- The program before has each escrow released by a transaction of its own, whoever asked.
update submission set instruction = instruction - 'due'
where instruction ->> 'type' = 'ReleaseEscrow' and instruction ? 'due';
drop index escrow_payer_claim_idx, escrow_merchant_claim_idx;
alter table escrow
    drop column failure,
    drop column try_again_at,
    drop column claims,
    drop column merchant_claim_of,
    drop column payer_claim_of;
