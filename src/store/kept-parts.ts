/** How long the parts of a job wait for somebody to retry it. Over a weekend and a holiday. */
const KEPT_DAYS = 7;

/**
 * Whether the parts of an ended `job` are kept, because a retry has to go on with them: a part of the rows is in the target
 * for good, and beginning anew would double it.
 */
export const KEEPS_PARTS = `(job.state in ('FAILED', 'DEAD') and job.part_effect = 'PERMANENT' and job.prepared is not null
  and job.finished_at > statement_timestamp() - interval '${KEPT_DAYS} days')`;
