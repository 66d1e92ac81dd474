-- Back to days that are not looked for.

drop index api_key_usage_day_idx;
