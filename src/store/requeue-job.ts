import type { ChangedSpec } from '../jobs/spec-after.js';
import { type Announcer, type ChangedRow, guardOf, TOUCH, withEvent } from './job-change.js';
import type { Queryable } from './pool.js';

/** Another set of attempts, and another stretch of time, as if it had just been launched. */
export const BEGUN_ANEW = `error = null, attempt = 0, takeovers = 0, started_at = null, deadline_at = null,
  finished_at = null, cancel_requested = false, worker = null`;

/** Beside the change of a job `$1` of which nothing is evaluated any more, and what it changes. */
export const NOT_EVALUATED = {
  ctes: `parts as (delete from sluice.chunk where job_id = $1),
    report as (delete from sluice.expectation_result where job_id = $1),
    bad as (delete from sluice.quarantine as bad using sluice.job as mine
      where mine.id = $1 and bad.tenant = mine.tenant and bad.job_id = mine.id),`,
  change: `prepared = null, part_effect = null, loading_at = null, compiled_sql = null,
    rows_read = 0, rows_loaded = 0, rows_filtered = 0, rows_deduplicated = 0, rows_quarantined = 0,
    rows_reshaped = 0, rows_rechecked = null, rows_differing = 0, total_rows = null, chunks_done = 0,
    chunks_total = null`,
};

/** A spec that takes the place of the stored one, and what is remembered of who wanted it so. */
export interface SpecPatch {
  readonly changed: ChangedSpec;
  readonly by: object;
}

/** How a job that stands still, or has ended, goes on: DECIDE by a verdict, REDRIVE by a retry. The row is locked before. */
export function requeueJob(announcer: Announcer, transition: 'DECIDE' | 'REDRIVE') {
  const { from, to } = guardOf(transition);
  const standing = 'job.id = $1 and job.state = any($2)';
  // What has ended was told to the escalators with its end.
  const queued = `state = '${to}', ${BEGUN_ANEW}, due_at = null, ${transition === 'REDRIVE' ? 'held = false, ' : ''}${TOUCH}`;
  const resume = withEvent(announcer, {
    change: `update sluice.job as job set ${queued} where ${standing} returning job.*`,
    kind: 'STATE',
    message: '$3::text',
  });
  const restart = withEvent(announcer, {
    ctes: NOT_EVALUATED.ctes,
    change: `update sluice.job as job set ${queued}, ${NOT_EVALUATED.change},
        spec = coalesce($4::jsonb, job.spec), target = case when $4 is null then job.target else $5 end,
        max_attempts = coalesce($6, job.max_attempts),
        timeout_ms = case when $4 is null then job.timeout_ms else $7 end,
        spec_patches = job.spec_patches || coalesce($8::jsonb, '[]')
      where ${standing} returning job.*`,
    kind: 'STATE',
    message: '$3::text',
  });

  async function run(db: Queryable, statement: string, values: readonly unknown[]): Promise<ChangedRow> {
    const { rows } = await db.query<ChangedRow>(statement, [...values]);
    if (!rows[0]) throw new Error('a job whose row was locked has another state');
    return rows[0];
  }

  return {
    /** QUEUED, with its parts and what is loaded of them. */
    resume: (db: Queryable, jobId: string, message: string) => run(db, resume, [jobId, from, message]),
    /** QUEUED, as if nothing had been evaluated. What the sink prepared must be discarded before. */
    restart(db: Queryable, jobId: string, message: string, patch?: SpecPatch): Promise<ChangedRow> {
      const changed = patch?.changed;
      return run(db, restart, [
        jobId,
        from,
        message,
        changed ? JSON.stringify(changed.spec) : null,
        changed?.target ?? null,
        changed?.maxAttempts ?? null,
        changed?.timeoutMs ?? null,
        patch ? JSON.stringify([patch.by]) : null,
      ]);
    },
  };
}
