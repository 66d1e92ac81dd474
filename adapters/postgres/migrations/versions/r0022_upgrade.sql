-- What keys were used for long ago, found by its day.

-- Rows come in the order of their days, so a few bytes for many of them tell where the old are.
create index api_key_usage_day_idx on api_key_usage using brin (day) with (autosummarize = on);
