-- Back to the schema before.

drop index webhook_delivery_created_idx, webhook_delivery_merchant_id_idx,
    webhook_delivery_due_idx;
-- The program before reads of a try when it was, its status and its detail, and nothing else.
update webhook_delivery set tries = (
    select coalesce(
        jsonb_agg(
            jsonb_build_object(
                'at', tried.value -> 'at', 'status', tried.value -> 'status',
                'detail', tried.value -> 'detail'
            ) order by tried.ordinality
        ),
        '[]'
    )
    from jsonb_array_elements(tries) with ordinality tried
)
where tries <> '[]';
alter table webhook_endpoint
    drop column description,
    drop column disabled_reason,
    drop column hex_signature,
    drop column former_secret,
    drop column former_secret_until,
    drop column failing_since,
    drop column silences,
    drop column rest_until,
    drop column deleted_at;
