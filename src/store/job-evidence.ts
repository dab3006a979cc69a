import { isId } from '../core/ids.js';
import { JOB_COUNTS_JSON } from './job-row.js';
import type { Queryable } from './pool.js';

const EVENTS = 20;
const ROWS = 10;

/** Made in one statement, so that everything in it is of the same moment; as JSON, so that no count is a bigint. */
const EVIDENCE = `
  select jsonb_build_object(
    'id', job.id, 'name', job.name, 'owner', job.owner, 'state', job.state, 'target', job.target,
    'sql', job.compiled_sql, 'spec', job.spec, 'specHash', job.spec_hash, 'specPatches', job.spec_patches, 'error', job.error,
    'attempt', job.attempt, 'maxAttempts', job.max_attempts, 'takeovers', job.takeovers, 'worker', job.worker,
    'createdAt', job.created_at, 'startedAt', job.started_at, 'counters', ${JOB_COUNTS_JSON},
    'stage', coalesce(job.stage, (
      select event.stage from sluice.job_event as event
      where event.job_id = job.id and event.stage is not null order by event.seq desc limit 1)),
    'events', (
      select coalesce(jsonb_agg(to_jsonb(last) order by last.seq), '[]') from (
        select event.seq, event.at, event.kind, event.state, event.stage, event.message, event.error ->> 'code' as code
        from sluice.job_event as event where event.job_id = job.id order by event.seq desc limit ${EVENTS}
      ) as last),
    'expectations', (
      select coalesce(jsonb_agg(to_jsonb(result) - 'job_id' - 'tenant' order by result.ordinal), '[]')
      from sluice.expectation_result as result where result.job_id = job.id),
    'quarantine', (
      select coalesce(jsonb_agg(to_jsonb(first) - 'id' order by first.id), '[]') from (
        select bad.id, bad.row_number, bad.file, bad.reasons, bad.raw from sluice.quarantine as bad
        where bad.tenant = job.tenant and bad.job_id = job.id order by bad.id limit ${ROWS}
      ) as first)
  ) as evidence
  from sluice.job as job where job.tenant = $1 and job.id = $2`;

/** What is known of a job, for whoever has to decide about it; null when there is no such job. */
export async function readJobEvidence(
  db: Queryable,
  tenant: string,
  jobId: string,
): Promise<Readonly<Record<string, unknown>> | null> {
  if (!isId(jobId)) return null;
  const { rows } = await db.query<{ evidence: Readonly<Record<string, unknown>> }>(EVIDENCE, [tenant, jobId]);
  return rows[0]?.evidence ?? null;
}
