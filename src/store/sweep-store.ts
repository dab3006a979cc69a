import { ERROR_CODES } from '../core/errors.js';
import { fingerprintByStage } from '../jobs/dead-letters/fingerprint.js';
import type { JobError } from '../jobs/job.js';
import type { SweepStore } from '../jobs/stores.js';
import { ATTEMPT_COLUMNS, type AttemptRow, attemptOf } from './attempt-row.js';
import { IS_CLAIMABLE } from './claimable.js';
import {
  type Announcer,
  type ChangedRow,
  FINAL_STATES_SQL,
  guardOf,
  signalOf,
  TOUCH,
  withEvent,
} from './job-change.js';
import { KEEPS_PARTS } from './kept-parts.js';
import type { Pool } from './pool.js';
import { removeOldQuarantine } from './quarantine/remove-old.js';
import { AWAITS_ROLLBACK } from './roll-back.js';
import { type StragglerRow, stragglerOf } from './straggler.js';

/** How an error of the sweeper is stored on the job. */
const poison = (takeovers: number): JobError => ({
  code: 'POISON',
  failureClass: ERROR_CODES.POISON.failureClass,
  message: `${takeovers} workers in a row stopped answering while they had the job, and nothing of it was done in between.`,
});

/** Whether the `job` waits for its turn in a redrive: any other that is tried again has failed before. */
const AWAITS_TURN = `job.state = 'RETRYING' and job.attempt = 0`;

/** A turn that is so late was not given because nobody was there to give it, or because loads were paused. */
const LATE = `statement_timestamp() - interval '5 s'`;

const IDLE_SINCE = `statement_timestamp() - $1 * interval '1 ms'`;

/**
 * What should be moving and is not. Every predicate reads `statement_timestamp()`, which an index can use; rows that
 * another scheduler changes at the same time are skipped.
 */
export function createSweepStore(pool: Pool, announcer: Announcer): SweepStore {
  const release = guardOf('RELEASE');
  const die = guardOf('DIE');
  const due = guardOf('DUE');
  const [cancel, pause] = [guardOf('CANCEL'), guardOf('PAUSE')];

  const isPoison = 'job.takeovers + lost.died >= $1 and lost.died = 1';
  const takeOver = withEvent(announcer, {
    // Whoever helped renewed the lease too: when it has run out nobody is on the job, and its chunks are free.
    ctes: `lost as (
      select job.id, (job.lease_until is not null)::integer as died from sluice.job as job
      where job.state = 'RUNNING' and not job.cancel_requested and not job.pause_requested
        and (job.lease_until < statement_timestamp() or job.lease_until is null
          and job.updated_at < statement_timestamp() - $4 * interval '1 ms')
      order by job.updated_at limit $2 for update skip locked
    ), claimed as (
      select chunk.job_id, chunk.ordinal from sluice.chunk as chunk join lost on chunk.job_id = lost.id
      where chunk.state = 'PENDING' and chunk.lease_token is not null for update of chunk skip locked
    ), freed as (
      update sluice.chunk as chunk set lease_token = null, lease_until = null from claimed
      where chunk.job_id = claimed.job_id and chunk.ordinal = claimed.ordinal
    ),`,
    change: `update sluice.job as job set takeovers = job.takeovers + lost.died, stage = null, worker = null,
        state = case when ${isPoison} then '${die.to}' else '${release.to}' end,
        error = case when ${isPoison} then $3::jsonb end,
        fingerprint = case when ${isPoison} then $5::jsonb ->> coalesce(job.stage, '') else job.fingerprint end,
        finished_at = case when ${isPoison} then statement_timestamp() end,
        attempt = greatest(job.attempt - 1, 0), lease_token = null, lease_until = null, ${TOUCH}
      from lost where job.id = lost.id returning job.*, lost.died`,
    kind: 'STATE',
    message: `case when job.state = '${die.to}' then 'Given up: it takes its workers down.'
      when job.died = 1 then 'The worker stopped answering; another one takes over.'
      else 'No worker goes on with the parts; the job is queued again.' end`,
    columns: 'job.priority, job.state',
    reports: true,
    attempt: { ends: `case job.died when 1 then 'LEASE_LOST' else 'RELEASED' end` },
  });
  const becomeDue = withEvent(announcer, {
    ctes: `due as (
      select job.id from sluice.job as job where job.state = any($1) and job.due_at <= statement_timestamp()
        and (job.attempt > 0 or ${IS_CLAIMABLE})
      order by job.due_at limit $2 for update skip locked
    ),`,
    change: `update sluice.job as job set state = '${due.to}', due_at = null, ${TOUCH} from due
      where job.id = due.id returning job.*`,
    kind: 'STATE',
    message: `'The job is queued again.'`,
    columns: 'job.priority',
  });
  // The row of the redrive is the lock: a second scheduler that waited for it finds that it was put off just now.
  const putOff = `
    with late as (
      select job.redrive_id, statement_timestamp() - min(job.due_at) as by from sluice.job as job
      where ${AWAITS_TURN} and job.due_at < ${LATE} and ${IS_CLAIMABLE} group by job.redrive_id
    ), put_off as (
      update sluice.redrive as redrive set put_off_at = statement_timestamp() from late
      where redrive.id = late.redrive_id and (redrive.put_off_at is null or redrive.put_off_at < ${LATE})
      returning redrive.id, late.by
    )
    update sluice.job as job set due_at = job.due_at + put_off.by from put_off
    where job.redrive_id = put_off.id and ${AWAITS_TURN} and ${IS_CLAIMABLE}`;
  const stopAbandoned = withEvent(announcer, {
    ctes: `lost as (
      select job.id from sluice.job as job
      where job.state = 'RUNNING' and (job.cancel_requested or job.pause_requested) and not job.rollback_requested
        and (job.lease_until is null or job.lease_until < statement_timestamp())
      limit $1 for update skip locked
    ),`,
    change: `update sluice.job as job set
        state = case when job.cancel_requested then '${cancel.to}' else '${pause.to}' end,
        finished_at = case when job.cancel_requested then statement_timestamp() end,
        attempt = case when job.cancel_requested then job.attempt else greatest(job.attempt - 1, 0) end,
        stage = null, lease_token = null, lease_until = null, worker = null, pause_requested = false, ${TOUCH}
      from lost where job.id = lost.id returning job.*`,
    kind: 'STATE',
    message: `case when job.state = '${cancel.to}' then 'The job was cancelled.' else 'The job is paused.' end`,
    reports: true,
    attempt: { ends: `case when job.state = '${cancel.to}' then 'CANCELLED' else 'PAUSED' end` },
  });

  const announceAll = (rows: readonly ChangedRow[]) => {
    for (const row of rows) announcer.announce(signalOf(row));
  };

  return {
    async queued(idleMs, limit) {
      const { rows } = await pool.query<StragglerRow>(
        `select job.id, job.priority, job.last_seq from sluice.job as job
         where job.state = 'QUEUED' and job.updated_at < statement_timestamp() - $1 * interval '1 ms'
           and ${IS_CLAIMABLE}
         order by job.priority desc, job.updated_at limit $2`,
        [idleMs, limit],
      );
      return rows.map(stragglerOf);
    },

    async takeOver(maxTakeovers, stuckMs, limit) {
      const { rows } = await pool.query<ChangedRow & StragglerRow & { state: string }>(takeOver, [
        maxTakeovers,
        limit,
        JSON.stringify(poison(maxTakeovers)),
        stuckMs,
        JSON.stringify(fingerprintByStage(poison(maxTakeovers))),
      ]);
      announceAll(rows);
      return rows.filter((row) => row.state === release.to).map(stragglerOf);
    },

    async unattendedLoads(idleMs, limit) {
      const { rows } = await pool.query<StragglerRow>(
        `select job.id, job.priority, job.last_seq from sluice.job as job
         where job.state = 'RUNNING' and job.stage in ('LOADING', 'FINISHING') and not job.rollback_requested
           and case when job.chunks_done = job.chunks_total then job.updated_at < ${IDLE_SINCE}
               and (job.lease_until is null or job.lease_until < statement_timestamp())
             else exists (select from sluice.chunk as chunk where chunk.job_id = job.id and chunk.state = 'PENDING'
               and (chunk.lease_until is null or chunk.lease_until < statement_timestamp())
               and case when chunk.due_at is null then job.updated_at < ${IDLE_SINCE}
                 else chunk.due_at <= statement_timestamp() end) end
         order by job.updated_at limit $2`,
        [idleMs, limit],
      );
      return rows.map(stragglerOf);
    },

    async due(limit) {
      await pool.query(putOff);
      const { rows } = await pool.query<ChangedRow & StragglerRow>(becomeDue, [due.from, limit]);
      announceAll(rows);
      return rows.map(stragglerOf);
    },

    async nextDueMs() {
      const { rows } = await pool.query<{ ms: number | null }>(
        // A chunk whose time has come waits for a worker, or for its job to go on.
        `select (extract(epoch from least(
             (select min(job.due_at) from sluice.job as job
              where job.state = 'RETRYING' and (job.attempt > 0 or ${IS_CLAIMABLE})),
             (select min(due_at) from sluice.chunk where state = 'PENDING' and due_at > statement_timestamp())
           ) - statement_timestamp()) * 1000)::float8 as ms`,
      );
      return rows[0]?.ms ?? null;
    },

    async stopAbandoned(limit) {
      const { rows } = await pool.query<ChangedRow>(stopAbandoned, [limit]);
      announceAll(rows);
      return rows.map((row) => row.id);
    },

    async rollbacks(limit) {
      const { rows } = await pool.query<AttemptRow>(
        `select ${ATTEMPT_COLUMNS} from sluice.job as job where ${AWAITS_ROLLBACK} order by job.id limit $1`,
        [limit],
      );
      return rows.map(attemptOf);
    },

    async leftovers(idleMs, limit) {
      const { rows } = await pool.query<AttemptRow>(
        `select ${ATTEMPT_COLUMNS} from sluice.job as job
         where job.prepared is not null and job.state in (${FINAL_STATES_SQL}) and job.state <> 'SUCCEEDED'
           and job.finished_at < statement_timestamp() - $1 * interval '1 ms' and not ${KEEPS_PARTS}
         order by job.finished_at limit $2`,
        [idleMs, limit],
      );
      return rows.map(attemptOf);
    },

    removeOldQuarantine: (days, limit) => removeOldQuarantine(pool, days, limit),

    async ended(jobIds) {
      const { rows } = await pool.query<{ id: string }>(
        `select wanted.id from unnest($1::uuid[]) as wanted (id)
         where not exists (select from sluice.job as job
           where job.id = wanted.id and (job.state not in (${FINAL_STATES_SQL}) or ${KEEPS_PARTS}))`,
        [jobIds],
      );
      return rows.map((row) => row.id);
    },

    async abandonedAttempts(attempts) {
      const { rows } = await pool.query<{ jobId: string; token: string }>(
        `select staged.job_id as "jobId", staged.token from unnest($1::uuid[], $2::uuid[]) as staged (job_id, token)
         where not exists (select from sluice.job as job
             where job.id = staged.job_id and job.state = 'RUNNING' and job.lease_token = staged.token)
           and not exists (select from sluice.chunk as chunk
             where chunk.job_id = staged.job_id and strpos(chunk.uri, staged.token::text) > 0)`,
        [attempts.map(({ jobId }) => jobId), attempts.map(({ token }) => token)],
      );
      return rows;
    },

    async uploadUris() {
      const { rows } = await pool.query<{ uri: string }>(
        `select distinct uri #>> '{}' as uri
         from sluice.job as job, jsonb_path_query(job.spec, '$.source.*.uri') as uri
         where job.state not in (${FINAL_STATES_SQL}) and uri #>> '{}' ilike 'upload:%'`,
      );
      return rows.map((row) => row.uri);
    },
  };
}
