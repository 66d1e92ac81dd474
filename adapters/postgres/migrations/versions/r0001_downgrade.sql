-- Everything the first migration made.

drop function claim_idempotency_key;
drop table
    merchant, api_key, quote, payment_intent, escrow, ledger_transaction, posting, balance, hold,
    settlement, payout, webhook_endpoint, webhook_delivery, event_counter, event, job,
    idempotency_key, chain_cursor, chain_block, observation, submission, sender_sequence;
drop function refuse_change, refuse_unbalanced, refuse_overdraft;
drop sequence deposit_index;
