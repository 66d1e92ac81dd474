-- Back to the schema before. What keys were limited to is forgotten: revoke such keys first.

drop table api_key_quota, api_key_usage;
drop index api_key_merchant_id_idx;
alter table api_key
    drop column name,
    drop column masked,
    drop column scopes,
    drop column networks,
    drop column expires_at,
    drop column last_used_at;
alter table merchant drop column mode, drop column twin;
