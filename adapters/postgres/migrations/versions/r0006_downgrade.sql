-- Back to the schema before.

drop table star_payment, star_reading;
