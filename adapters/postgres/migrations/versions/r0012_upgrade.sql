-- Webhooks out: endpoints that rest, rotate and are switched off; deliveries taken in batches.

alter table webhook_endpoint
    add column description text not null default '',
    add column disabled_reason text collate "C",
    add column hex_signature boolean not null default false,
    add column former_secret text,
    add column former_secret_until timestamptz,
    add column failing_since timestamptz,
    add column silences integer not null default 0,
    add column rest_until timestamptz,
    add column deleted_at timestamptz;
-- Until now an endpoint was switched off for one reason alone.
update webhook_endpoint set disabled_reason = 'gone' where not enabled;

create index webhook_delivery_due_idx
    on webhook_delivery (endpoint_id, next_try_at, sequence) where state = 'pending';
create index webhook_delivery_merchant_id_idx on webhook_delivery (merchant_id, id);
create index webhook_delivery_created_idx on webhook_delivery using brin (created_at);
