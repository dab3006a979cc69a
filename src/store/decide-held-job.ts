import type { Verdict } from '../../escalation/verdict.js';
import type { ChangedSpec } from '../jobs/spec-after.js';
import { type Announcer, type ChangedRow, guardOf, TOUCH, withEvent } from './job-change.js';
import type { Queryable } from './pool.js';

const HELD = `job.id = $1 and job.state = any($2)`;
/** Another set of attempts, and another stretch of time, as if it had just been launched. */
const QUEUED_ANEW = `error = null, attempt = 0, takeovers = 0, started_at = null, due_at = null, worker = null`;

/** How a held job goes on, each way with the event that names the verdict. */
export function decideHeldJob(announcer: Announcer) {
  const decide = guardOf('DECIDE');
  const fail = guardOf('FAIL');
  const held = decide.from;
  const resume = withEvent(announcer, {
    change: `update sluice.job as job set state = '${decide.to}', ${QUEUED_ANEW}, ${TOUCH} where ${HELD} returning job.*`,
    kind: 'STATE',
    message: '$3::text',
  });
  const restart = withEvent(announcer, {
    ctes: `parts as (delete from sluice.chunk where job_id = $1),
      report as (delete from sluice.expectation_result where job_id = $1),
      bad as (delete from sluice.quarantine as bad using sluice.job as mine
        where mine.id = $1 and bad.tenant = mine.tenant and bad.job_id = mine.id),`,
    change: `update sluice.job as job set state = '${decide.to}', ${QUEUED_ANEW}, prepared = null, loading_at = null,
        rows_read = 0, rows_loaded = 0, rows_filtered = 0, rows_deduplicated = 0, rows_quarantined = 0,
        rows_reshaped = 0, total_rows = null, chunks_done = 0, chunks_total = null,
        spec = coalesce($4::jsonb, job.spec), target = case when $4 is null then job.target else $5 end,
        max_attempts = coalesce($6, job.max_attempts),
        timeout_ms = case when $4 is null then job.timeout_ms else $7 end,
        spec_patches = job.spec_patches || coalesce($8::jsonb, '[]'), ${TOUCH}
      where ${HELD} returning job.*`,
    kind: 'STATE',
    message: '$3::text',
  });
  const abort = withEvent(announcer, {
    change: `update sluice.job as job set state = '${fail.to}', worker = null, finished_at = statement_timestamp(), ${TOUCH}
      where ${HELD} returning job.*`,
    kind: 'STATE',
    message: '$3::text',
    reports: true,
  });
  // No STATE: the job awaits the decision that it awaited before.
  const remain = withEvent(announcer, {
    change: `update sluice.job as job set ${TOUCH} where ${HELD} returning job.*`,
    kind: 'STAGE',
    message: '$3::text',
  });

  async function run(db: Queryable, statement: string, values: readonly unknown[]): Promise<ChangedRow> {
    const { rows } = await db.query<ChangedRow>(statement, [...values]);
    if (!rows[0]) throw new Error('a job that was locked while it was held is held no more');
    return rows[0];
  }

  return {
    /** QUEUED, with its parts and what is loaded of them. */
    resume: (db: Queryable, jobId: string, message: string) => run(db, resume, [jobId, held, message]),
    /** QUEUED, as if nothing had been evaluated. What the sink prepared must be discarded before. */
    restart(
      db: Queryable,
      jobId: string,
      message: string,
      changed: ChangedSpec | undefined,
      verdict: Verdict,
    ): Promise<ChangedRow> {
      const { id: verdictId, kind, agent, patch } = verdict;
      return run(db, restart, [
        jobId,
        held,
        message,
        changed ? JSON.stringify(changed.spec) : null,
        changed?.target ?? null,
        changed?.maxAttempts ?? null,
        changed?.timeoutMs ?? null,
        changed ? JSON.stringify([{ verdictId, kind, agent, patch }]) : null,
      ]);
    },
    abort: (db: Queryable, jobId: string, message: string) => run(db, abort, [jobId, held, message]),
    remain: (db: Queryable, jobId: string, message: string) => run(db, remain, [jobId, held, message]),
  };
}
