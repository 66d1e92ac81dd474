-- Releases of many escrows by one transaction, and what the contract could not push.

-- Why the last request of an escrow came to nothing, and from when on a release that is due is
-- tried again; what the contract keeps for whom, and the accounts of what is not withdrawn.
alter table escrow
    add column failure jsonb,
    add column try_again_at timestamptz,
    add column claims jsonb,
    add column merchant_claim_of text collate "C",
    add column payer_claim_of text collate "C";
create index escrow_merchant_claim_idx on escrow (merchant_claim_of)
    where merchant_claim_of is not null;
create index escrow_payer_claim_idx on escrow (payer_claim_of)
    where payer_claim_of is not null;
