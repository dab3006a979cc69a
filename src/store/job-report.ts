import { FINAL_STATES } from '../jobs/job.js';

const FINAL = FINAL_STATES.map((state) => `'${state}'`).join(', ');

/** More offending rows than these help nobody to decide; the job's own error has them all. */
const SAMPLES = `jsonb_path_query_array(job.error -> 'details' -> 'samples', '$[0 to 9]')`;

/** Where the job was: a statement sees its table as it was before the change. */
const STAGE = `jsonb_strip_nulls(jsonb_build_object('stage',
  (select before.stage from sluice.job as before where before.id = job.id)))`;

/**
 * CTEs behind the change of a `job` by which it may become held, or end: what is reported is reported with the change
 * itself. A job that comes to await a decision is a failure that somebody has to be asked about. One that was ever held
 * and has ended needs nobody any more: its report repeats what it was held for.
 */
export const REPORT_CTES = `,
  failure as (
    insert into sluice.failure_report
      (id, tenant, kind, source, job_id, pipeline, target, owner, code, failure_class, message, details)
    select gen_random_uuid(), job.tenant, 'FAILED', 'JOB', job.id, job.name, job.target, job.owner,
      job.error ->> 'code', job.error ->> 'failureClass', job.error ->> 'message',
      coalesce(job.error -> 'details', '{}') || case when jsonb_typeof(job.error -> 'details' -> 'samples') = 'array'
        then jsonb_build_object('samples', ${SAMPLES}) else '{}' end || ${STAGE}
    from job where job.state = 'AWAITING_DECISION'
  ), recovery as (
    insert into sluice.failure_report
      (id, tenant, kind, source, job_id, pipeline, target, owner, code, failure_class, message)
    select gen_random_uuid(), job.tenant, 'RECOVERED', 'JOB', job.id, held.pipeline, held.target, held.owner,
      held.code, held.failure_class, 'The job is ' || job.state || '.'
    from job cross join lateral (
      select report.* from sluice.failure_report as report
      where report.job_id = job.id and report.kind = 'FAILED' order by report.at desc limit 1
    ) as held
    where job.held and job.state in (${FINAL})
  )`;
