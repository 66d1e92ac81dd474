-- Back to the schema before.

drop table sweep, deposit_holding;
