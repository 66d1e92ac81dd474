-- Telling merchants: what a delivery follows, and keys that expire.

alter table webhook_delivery add column sequence bigint, add column previous_sequence bigint;

update webhook_delivery set sequence = event.sequence
from event where event.id = webhook_delivery.event_id;

update webhook_delivery set previous_sequence = before.previous
from (
    select id, coalesce(lag(sequence) over (partition by endpoint_id order by sequence), 0)
        as previous
    from webhook_delivery
) before where before.id = webhook_delivery.id;

alter table webhook_delivery
    alter column sequence set not null,
    alter column previous_sequence set not null,
    add constraint webhook_delivery_endpoint_id_sequence_key unique (endpoint_id, sequence);

-- An answer that was kept for longer than its life counts as none. The program says so by its own
-- clock, which also gives `kept_at` from now on.
drop function claim_idempotency_key(text, text);

create function idempotency_lock(owner_ text, key_ text) returns bigint
language sql immutable parallel safe as $$
    select hashtextextended(owner_ || chr(31) || key_, 0)
$$;

-- Takes a key and then looks for its answer: each statement of a volatile function sees what was
-- committed before it began, so an answer that the last holder of the key committed is not missed.
create function claim_idempotency_key(
    owner_ text, key_ text, kept_after_ timestamptz,
    out claimed boolean, out fingerprint bytea, out body bytea
) language plpgsql volatile as $$
begin
    claimed := pg_try_advisory_xact_lock(idempotency_lock(owner_, key_));
    if claimed then
        select kept.fingerprint, kept.body into fingerprint, body
        from idempotency_key kept
        where kept.owner = owner_ and kept.key = key_ and kept.kept_at > kept_after_;
    end if;
end
$$;

-- An answer is added only by who holds its key, claimed before or taken here. Nobody waits for the
-- key's place in the primary key: it is refused at once while another transaction holds it.
create function refuse_key_in_flight() returns trigger language plpgsql as $$
begin
    if not pg_try_advisory_xact_lock(idempotency_lock(new.owner, new.key)) then
        raise exception 'idempotency key in flight'
            using errcode = 'lock_not_available', table = tg_table_name,
                constraint = 'idempotency_key_in_flight', detail = new.key;
    end if;
    return new;
end
$$;

create trigger idempotency_key_is_held
    before insert on idempotency_key
    for each row execute function refuse_key_in_flight();

-- Rows come in the order of their time, so a few bytes for many of them tell where the old are.
create index idempotency_key_kept_at_idx on idempotency_key using brin (kept_at)
    with (autosummarize = on);
