-- Back to the schema before. Of replaced bytes the newest are kept.

drop table submission_attempt;
drop index submission_numbered_idx;
alter table submission
    drop column gapless,
    drop column cancels,
    drop column replaced,
    drop column signed_after,
    drop column unwanted;
