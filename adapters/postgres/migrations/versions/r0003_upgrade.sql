-- Jobs: queues, priorities, a log.

alter table job
    add column queue text collate "C" not null default 'upkeep',
    add column priority integer not null default 1,
    add column standing integer not null default 1,
    add column claims bigint not null default 0,
    add column pace text collate "C",
    add column runner text collate "C",
    add column started_at timestamptz,
    add column finished_at timestamptz,
    add column log jsonb not null default '[]';

update job set
    queue = case
        when name = 'watch_chain' then 'chains'
        when name in ('send_transactions', 'run_settlements', 'release_escrows') then 'money'
        when name in ('hand_over_events', 'deliver_webhook') then 'webhooks'
        else 'upkeep'
    end,
    finished_at = case when state in ('done', 'dead') then run_at end;

-- Each claim looks at the beginning of one range for each queue and standing: what is due later
-- comes after it, however much that is.
drop index job_ready_idx;
create index job_ready_idx on job (queue, standing, run_at, id) where state = 'ready';

drop index job_running_idx;
create index job_leased_idx on job (lease_until) where state in ('queued', 'running');

drop index job_dedupe_key;
create unique index job_dedupe_key on job (dedupe_key)
    where state in ('ready', 'queued', 'running');

create index job_pace_idx on job (dedupe_key) where pace is not null;
create index job_finished_idx on job (state, finished_at) where state in ('done', 'dead');
create index job_dead_idx on job (queue, id) where state = 'dead';

create table paused_queue (
    queue text collate "C" not null,
    since timestamptz not null,
    constraint paused_queue_pkey primary key (queue)
);
