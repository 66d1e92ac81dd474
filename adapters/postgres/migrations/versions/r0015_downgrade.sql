-- Back to the schema before.

drop table deposit, customer_address;
