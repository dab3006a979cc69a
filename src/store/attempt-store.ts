import { fingerprintByStage } from '../jobs/dead-letters/fingerprint.js';
import type { JobState } from '../jobs/job.js';
import type { AttemptStore } from '../jobs/stores.js';
import { ATTEMPT_COLUMNS, type AttemptRow, attemptOf } from './attempt-row.js';
import { beginAnew } from './begin-anew.js';
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
import { leaseLost } from './lease-lost.js';
import { type Pool, withTransaction } from './pool.js';

/** A beat on a connection that has died without a word is given up in time for the next one, on another connection. */
const SILENCE_MS = 2_000;

/** How workers take, hold and end attempts. Every write is fenced by the token of the attempt. */
export function createAttemptStore(pool: Pool, announcer: Announcer): AttemptStore {
  const [cancelled, paused] = [guardOf('CANCEL').to, guardOf('PAUSE').to];
  const claiming = guardOf('CLAIM');
  const claim = withEvent(announcer, {
    change: `update sluice.job as job set state = '${claiming.to}', attempt = job.attempt + 1,
        stage = case when job.chunks_total is null then 'PLANNING' else 'LOADING' end, error = null, due_at = null,
        compiled_sql = case when job.chunks_total is not null then job.compiled_sql end,
        lease_token = $3, worker = $4, lease_until = statement_timestamp() + $5 * interval '1 ms',
        started_at = coalesce(job.started_at, statement_timestamp()),
        deadline_at = coalesce(job.deadline_at, statement_timestamp() + job.timeout_ms * interval '1 ms'), ${TOUCH}
      where job.id = $1 and job.state = any($2) and not job.cancel_requested and ${IS_CLAIMABLE} returning job.*`,
    kind: 'STATE',
    message: `'Attempt ' || job.attempt || ' runs.'`,
    columns: ATTEMPT_COLUMNS,
    attempt: 'BEGINS',
  });
  const enterStage = withEvent(announcer, {
    change: `update sluice.job as job set stage = $3, ${TOUCH}
      where job.id = $1 and job.lease_token = $2 and job.state = 'RUNNING' returning job.*`,
    kind: 'STAGE',
    message: '$4::text',
  });
  // A job that was told to stop while its attempt failed, or that is let go of because of that, is not tried again. Nobody
  // is asked about one that is to be cancelled; about one that is to be paused somebody is.
  const isCancelled = `(job.cancel_requested and $5 in ('RELEASE', 'RETRY', 'HOLD'))`;
  const isPaused = `(job.pause_requested and $5 in ('RELEASE', 'RETRY'))`;
  const end = withEvent(announcer, {
    // Chunks are freed for the next attempt, except one that is being committed: that one locks its chunk first and the
    // job then, so that waiting for it here, with the job locked, would be a deadlock. The next attempt has all tries of a
    // chunk before it.
    ctes: `held as (
      select chunk.job_id, chunk.ordinal from sluice.chunk as chunk
      where chunk.job_id = $1 and chunk.state = 'PENDING' and (chunk.lease_token is not null or chunk.failures > 0)
        and exists (select from sluice.job as mine where mine.id = $1 and mine.lease_token = $2)
      for update of chunk skip locked
    ), freed as (
      update sluice.chunk as chunk set lease_token = null, lease_until = null, failures = 0, due_at = null from held
      where chunk.job_id = held.job_id and chunk.ordinal = held.ordinal
    ),`,
    // A released attempt is not counted: stopping a process says nothing about the job.
    // A statement reads the row as it was: the stage is the one in which the job dies.
    change: `update sluice.job as job set stage = null,
        fingerprint = coalesce($9::jsonb ->> coalesce(job.stage, ''), job.fingerprint),
        state = case when ${isCancelled} then '${cancelled}' when ${isPaused} then '${paused}' else $4 end,
        attempt = case when $5 = 'RELEASE' and not job.cancel_requested then greatest(job.attempt - 1, 0)
          else job.attempt end,
        error = case when ${isCancelled} then null else $6::jsonb end,
        due_at = case when not ${isCancelled} and not ${isPaused} then statement_timestamp() + $7 * interval '1 ms' end,
        finished_at = case when $4 in (${FINAL_STATES_SQL}) or ${isCancelled} then statement_timestamp() end,
        held = job.held or $5 = 'HOLD' and not job.cancel_requested, lease_token = null, lease_until = null,
        worker = case when $5 = 'HOLD' then job.worker end, pause_requested = false, ${TOUCH}
      where job.id = $1 and job.lease_token = $2 and job.state = any($3) and not job.rollback_requested returning job.*`,
    kind: 'STATE',
    message: `case job.state when '${cancelled}' then 'The job was cancelled.' when '${paused}' then 'The job is paused.'
      else $8::text end`,
    columns: 'job.state',
    reports: true,
    attempt: {
      ends: `case when job.state = '${cancelled}' then 'CANCELLED' when $5 <> 'RELEASE' then 'FAILED'
        when job.state = '${paused}' then 'PAUSED' else 'RELEASED' end`,
    },
  });

  return {
    async claim(jobId, token, worker, leaseMs) {
      const { rows } = await pool.query<AttemptRow & ChangedRow>(claim, [jobId, claiming.from, token, worker, leaseMs]);
      if (!rows[0]) return null;
      announcer.announce(signalOf(rows[0]));
      return attemptOf(rows[0]);
    },

    async join(jobId) {
      const { rows } = await pool.query<AttemptRow>(
        `select ${ATTEMPT_COLUMNS} from sluice.job as job
         where job.id = $1 and job.state = 'RUNNING' and job.stage in ('LOADING', 'FINISHING')
           and not job.rollback_requested`,
        [jobId],
      );
      return rows[0] ? attemptOf(rows[0]) : null;
    },

    async enterStage({ job, token }, stage, message) {
      const { rows } = await pool.query<ChangedRow>(enterStage, [job.id, token, stage, message]);
      if (!rows[0]) throw leaseLost();
      announcer.announce(signalOf(rows[0]));
      return Number(rows[0].last_seq);
    },

    async keepSql({ job, token }, sql) {
      await pool.query(
        `update sluice.job set compiled_sql = $3 where id = $1 and lease_token = $2 and state = 'RUNNING'`,
        [job.id, token, sql],
      );
    },

    async end({ job, token }, { transition, message, error, dueInMs }) {
      const { from, to } = guardOf(transition);
      const { rows } = await pool.query<ChangedRow & { state: JobState }>(end, [
        job.id,
        token,
        from,
        to,
        transition,
        error ? JSON.stringify(error) : null,
        dueInMs ?? null,
        message,
        error && transition === 'DIE' ? JSON.stringify(fingerprintByStage(error)) : null,
      ]);
      if (!rows[0]) return null;
      announcer.announce(signalOf(rows[0]));
      return rows[0].state;
    },

    async renew(tokens, jobIds, leaseMs) {
      const beat = {
        // A chunk that is locked is being committed and needs no lease any more. Waiting for it could be a deadlock: its
        // commit locks the chunk first and the job then, and PostgreSQL does not say which of these updates comes first.
        text: `with kept as (
           select job_id, ordinal from sluice.chunk
           where job_id = any($2) and lease_token = any($1) and state = 'PENDING'
           for update skip locked
         ), chunks as (
           update sluice.chunk as chunk set lease_until = statement_timestamp() + $3 * interval '1 ms' from kept
           where chunk.job_id = kept.job_id and chunk.ordinal = kept.ordinal
         ), held as (
           update sluice.job set lease_until = statement_timestamp() + $3 * interval '1 ms'
           where id = any($2) and lease_token = any($1) and state = 'RUNNING'
         )
         select id, cancel_requested or pause_requested as stop_requested, case when state = 'RUNNING' then lease_token end as lease_token
         from sluice.job where id = any($2)`,
        values: [tokens, jobIds, leaseMs],
        query_timeout: SILENCE_MS,
      };
      const { rows } = await pool.query<{ id: string; stop_requested: boolean; lease_token: string | null }>(beat);
      return rows.map((row) => ({ jobId: row.id, stopRequested: row.stop_requested, token: row.lease_token }));
    },

    async releaseChunks(token) {
      await pool.query(
        `update sluice.chunk set lease_token = null, lease_until = null, worker = null
         where lease_token = $1 and state = 'PENDING'`,
        [token],
      );
    },

    async leave({ job, token }) {
      await pool.query(
        `update sluice.job set lease_until = null
         where id = $1 and lease_token = $2 and state = 'RUNNING' and stage in ('LOADING', 'FINISHING')`,
        [job.id, token],
      );
    },

    beginAnew: beginAnew(pool, announcer),

    dispose: (jobId, remove) =>
      withTransaction(pool, async (client) => {
        // Another worker's COPY may hold the staging table until it hears that the job has ended.
        await client.query(`set local lock_timeout = '10s'`);
        const { rows } = await client.query<Pick<AttemptRow, 'prepared'>>(
          `select job.prepared from sluice.job as job where job.id = $1 and job.state in (${FINAL_STATES_SQL})
             and job.state <> 'SUCCEEDED' and not ${KEEPS_PARTS} for update`,
          [jobId],
        );
        if (!rows[0]) return;
        await remove(rows[0].prepared, client);
        await client.query('update sluice.job set prepared = null where id = $1', [jobId]);
      }),
  };
}
