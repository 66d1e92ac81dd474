-- Back to the schema before.

drop table cold_transfer, wallet_alarm;
