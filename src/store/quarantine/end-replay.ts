import { FINAL_STATES } from '../../jobs/job.js';

const FINAL = FINAL_STATES.map((state) => `'${state}'`).join(', ');

/**
 * CTE behind the change of a `job` by which it may end: the rows that a replay has claimed are REPLAYED with its success,
 * and otherwise what they were before. So nobody has to look for rows whose replay died.
 */
export const END_REPLAY_CTE = `,
  replay as (
    update sluice.quarantine as bad set
      status = case when job.state = 'SUCCEEDED' then 'REPLAYED' when bad.fixed is null then 'OPEN' else 'FIXED' end,
      replay_job_id = case when job.state = 'SUCCEEDED' then bad.replay_job_id end
    from job where job.replay_of is not null and job.state in (${FINAL})
      and bad.replay_job_id = job.id and bad.status = 'REPLAYING'
  )`;
