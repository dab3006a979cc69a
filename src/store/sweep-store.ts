import type { Straggler, SweepStore } from '../jobs/stores.js';
import { ATTEMPT_COLUMNS, type AttemptRow, attemptOf } from './attempt-row.js';
import {
  type Announcer,
  type ChangedRow,
  FINAL_STATES_SQL,
  guardOf,
  signalOf,
  TOUCH,
  withEvent,
} from './job-change.js';
import type { Pool } from './pool.js';
import { IS_PAUSED } from './target-pause.js';

interface StragglerRow {
  readonly id: string;
  readonly priority: number;
  readonly last_seq: bigint;
}

const stragglerOf = (row: StragglerRow): Straggler => ({
  jobId: row.id,
  priority: row.priority,
  lastSeq: Number(row.last_seq),
});

/** How an error of the sweeper is stored on the job. */
const GIVEN_UP = {
  code: 'RETRIES_EXHAUSTED',
  failureClass: 'CRITICAL_FAILURE',
  message: 'Every worker that took the job stopped while it had it.',
};

/**
 * What should be moving and is not. Every predicate reads `statement_timestamp()`, which an index can use; rows that
 * another scheduler changes at the same time are skipped.
 */
export function createSweepStore(pool: Pool, announcer: Announcer): SweepStore {
  const release = guardOf('RELEASE');
  const die = guardOf('DIE');
  const hold = guardOf('HOLD');
  const due = guardOf('DUE');
  const cancel = guardOf('CANCEL');

  const takeOver = withEvent(announcer, {
    ctes: `lost as (
      select job.id, case when job.takeovers < $1 then '${release.to}'
          when job.spec -> 'options' ->> 'onFailure' = 'FAIL' then '${die.to}' else '${hold.to}' end as state
      from sluice.job as job
      where job.state = 'RUNNING' and not job.cancel_requested and job.lease_until < statement_timestamp()
        and (job.stage in ('PLANNING', 'EVALUATING') or job.updated_at < statement_timestamp() - $4 * interval '1 ms')
      order by job.lease_until limit $2 for update skip locked
    ),`,
    change: `update sluice.job as job set state = lost.state,
        error = case when lost.state <> '${release.to}' then $3::jsonb end, takeovers = job.takeovers + 1, stage = null,
        attempt = greatest(job.attempt - 1, 0), lease_token = null, lease_until = null,
        worker = case when lost.state = '${hold.to}' then job.worker end,
        held = job.held or lost.state = '${hold.to}',
        finished_at = case when lost.state = '${die.to}' then statement_timestamp() end, ${TOUCH}
      from lost where job.id = lost.id returning job.*`,
    kind: 'STATE',
    message: `case job.state when '${die.to}' then 'Given up.' when '${hold.to}' then 'Given up until somebody decides.'
      else 'The worker stopped answering; another one takes over.' end`,
    columns: 'job.priority, job.state',
    reports: true,
  });
  const becomeDue = withEvent(announcer, {
    ctes: `due as (
      select job.id from sluice.job as job where job.state = any($1) and job.due_at <= statement_timestamp()
      order by job.due_at limit $2 for update skip locked
    ),`,
    change: `update sluice.job as job set state = '${due.to}', due_at = null, ${TOUCH} from due
      where job.id = due.id returning job.*`,
    kind: 'STATE',
    message: `'The job is queued again.'`,
    columns: 'job.priority',
  });
  const cancelAbandoned = withEvent(announcer, {
    ctes: `lost as (
      select job.id from sluice.job as job
      where job.state = 'RUNNING' and job.cancel_requested and job.lease_until < statement_timestamp()
      limit $1 for update skip locked
    ),`,
    change: `update sluice.job as job set state = '${cancel.to}', stage = null, lease_token = null, lease_until = null,
        worker = null, finished_at = statement_timestamp(), ${TOUCH}
      from lost where job.id = lost.id returning job.*`,
    kind: 'STATE',
    message: `'The job was cancelled.'`,
    reports: true,
  });

  const announceAll = (rows: readonly ChangedRow[]) => {
    for (const row of rows) announcer.announce(signalOf(row));
  };

  return {
    async queued(idleMs, limit) {
      const { rows } = await pool.query<StragglerRow>(
        `select job.id, job.priority, job.last_seq from sluice.job as job
         where job.state = 'QUEUED' and job.updated_at < statement_timestamp() - $1 * interval '1 ms'
           and not ${IS_PAUSED}
         order by job.updated_at limit $2`,
        [idleMs, limit],
      );
      return rows.map(stragglerOf);
    },

    async takeOver(maxTakeovers, stuckMs, limit) {
      const { rows } = await pool.query<ChangedRow & StragglerRow & { state: string }>(takeOver, [
        maxTakeovers,
        limit,
        JSON.stringify(GIVEN_UP),
        stuckMs,
      ]);
      announceAll(rows);
      return rows.filter((row) => row.state === release.to).map(stragglerOf);
    },

    async unattendedLoads(idleMs, limit) {
      const { rows } = await pool.query<StragglerRow>(
        `select job.id, job.priority, job.last_seq from sluice.job as job
         where job.state = 'RUNNING' and job.stage in ('LOADING', 'FINISHING')
           and job.updated_at < statement_timestamp() - $1 * interval '1 ms'
           and case when job.chunks_done = job.chunks_total then job.lease_until < statement_timestamp()
             else exists (select from sluice.chunk as chunk where chunk.job_id = job.id and chunk.state = 'PENDING'
               and (chunk.lease_until is null or chunk.lease_until < statement_timestamp())) end
         order by job.updated_at limit $2`,
        [idleMs, limit],
      );
      return rows.map(stragglerOf);
    },

    async due(limit) {
      const { rows } = await pool.query<ChangedRow & StragglerRow>(becomeDue, [due.from, limit]);
      announceAll(rows);
      return rows.map(stragglerOf);
    },

    async nextDueMs() {
      const { rows } = await pool.query<{ ms: number | null }>(
        `select (extract(epoch from min(due_at) - statement_timestamp()) * 1000)::float8 as ms
         from sluice.job where state = 'RETRYING'`,
      );
      return rows[0]?.ms ?? null;
    },

    async cancelAbandoned(limit) {
      const { rows } = await pool.query<ChangedRow>(cancelAbandoned, [limit]);
      announceAll(rows);
      return rows.map((row) => row.id);
    },

    async leftovers(idleMs, limit) {
      const { rows } = await pool.query<AttemptRow>(
        `select ${ATTEMPT_COLUMNS} from sluice.job as job
         where job.prepared is not null and job.state in (${FINAL_STATES_SQL}) and job.state <> 'SUCCEEDED'
           and job.finished_at < statement_timestamp() - $1 * interval '1 ms'
         order by job.finished_at limit $2`,
        [idleMs, limit],
      );
      return rows.map(attemptOf);
    },

    async ended(jobIds) {
      const { rows } = await pool.query<{ id: string }>(
        `select wanted.id from unnest($1::uuid[]) as wanted (id)
         where not exists (select from sluice.job where job.id = wanted.id and job.state not in (${FINAL_STATES_SQL}))`,
        [jobIds],
      );
      return rows.map((row) => row.id);
    },
  };
}
