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
