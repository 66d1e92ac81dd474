-- Sending: numbers that come back, and replacements.

alter table submission
    add column gapless boolean not null default false,
    add column cancels boolean not null default false,
    add column replaced integer not null default 0,
    add column signed_after bigint,
    add column unwanted boolean not null default false;
create index submission_numbered_idx on submission (chain, sender, sequence)
    where sequence is not null;

create table submission_attempt (
    submission_id text collate "C" not null,
    place integer not null,
    chain text collate "C" not null,
    hash text collate "C" not null,
    raw bytea not null,
    valid_until timestamptz,
    cancels boolean not null,
    constraint submission_attempt_pkey primary key (submission_id, place),
    constraint submission_attempt_submission_id_fkey
        foreign key (submission_id) references submission (id),
    constraint submission_attempt_hash_key unique (chain, hash)
);

-- What is in flight can still expire. A deposit address's numbers have no gaps on any chain.
update submission set gapless = true
where state in ('signed', 'broadcast', 'unknown')
    and (instruction ->> 'type' = 'SweepDeposit' or chain like 'eip155:%');

-- How long it has waited is counted from here on.
update submission set signed_after = (cursor.seen ->> 'number')::bigint
from chain_cursor cursor
where cursor.chain = submission.chain and state in ('signed', 'broadcast', 'unknown');
