-- Back to the schema before. What is with the transport is given back, as it would be in the end.

drop table paused_queue;
drop index job_ready_idx, job_leased_idx, job_dedupe_key, job_pace_idx, job_finished_idx,
    job_dead_idx;
update job set state = 'ready', lease_until = null where state = 'queued';
alter table job
    drop column queue, drop column priority, drop column standing, drop column claims,
    drop column pace, drop column runner, drop column started_at, drop column finished_at,
    drop column log;
create unique index job_dedupe_key on job (dedupe_key) where state in ('ready', 'running');
create index job_ready_idx on job (run_at, id) where state = 'ready';
create index job_running_idx on job (lease_until) where state = 'running';
