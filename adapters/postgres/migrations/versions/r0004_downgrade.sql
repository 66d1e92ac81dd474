-- Back to the schema before.

alter table webhook_delivery drop column sequence, drop column previous_sequence;

drop index idempotency_key_kept_at_idx;

drop trigger idempotency_key_is_held on idempotency_key;
drop function refuse_key_in_flight();
drop function claim_idempotency_key(text, text, timestamptz);
drop function idempotency_lock(text, text);

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
