-- Back to the schema before. Open changes are forgotten; what was effective stays.

alter table api_key drop column root;
drop table payout_destination_change, member, person;
