import { statesAllowing } from '../jobs/job.js';
import type { ChunkStore } from '../jobs/stores.js';
import { cancellableTransaction } from './cancellable-transaction.js';
import { type Announcer, type ChangedRow, guardOf, signalOf, TOUCH, withEvent } from './job-change.js';
import type { Pool } from './pool.js';

/** Jobs of which rows are in their target for good, and can be told from others there: `job` has loaded some, or may have. */
export const IS_REMOVABLE = `(job.part_effect = 'PERMANENT' and job.chunks_total is not null
  and jsonb_path_exists(job.spec, '$.sink.*.loadIdColumn ? (@ != null)'))`;

/** Jobs that wait for their rows to be removed, and that no worker holds. */
export const AWAITS_ROLLBACK = `job.rollback_requested and job.state <> 'CANCELLED'
  and job.state in (${statesAllowing('CANCEL')
    .map((state) => `'${state}'`)
    .join(', ')})
  and (job.state <> 'RUNNING' or job.lease_until is null or job.lease_until < statement_timestamp())`;

/**
 * How a job is cancelled whose rows go with it. Its row is not locked while they are removed, which may take long: from the
 * commit of the request on no part is added to the job, and nothing but this ends it.
 */
export function rollBack(pool: Pool, announcer: Announcer): ChunkStore['rollBack'] {
  const { from, to } = guardOf('CANCEL');
  const cancel = withEvent(announcer, {
    change: `update sluice.job as job set state = '${to}', stage = null, due_at = null, lease_token = null,
        lease_until = null, worker = null, pause_requested = false, finished_at = statement_timestamp(),
        rows_loaded = case when $3::bigint is null then job.rows_loaded else 0 end,
        rollback_requested = $3::bigint is not null, ${TOUCH}
      where job.id = $1 and job.state = any($2) and job.rollback_requested returning job.*`,
    kind: 'STATE',
    message: `case when $3::bigint is null then 'The job was cancelled, but its rows are still in the target: ' || $4::text
      else 'The job was cancelled, and ' || $3::bigint || ' rows were removed from its target.' end`,
    reports: true,
    attempt: { ends: `'${to}'` },
  });

  return async (jobId, signal, remove) => {
    const changed = await cancellableTransaction(pool, signal, async (client) => {
      // The lock by which a finisher is elected: one of them acts on the target at a time.
      const { rows: election } = await client.query<{ elected: boolean }>(
        `select pg_try_advisory_xact_lock(hashtextextended('sluice.finish ' || $1, 0)) as elected`,
        [jobId],
      );
      if (!election[0]?.elected) return undefined;
      const waiting = await client.query(`select from sluice.job as job where job.id = $1 and ${AWAITS_ROLLBACK}`, [
        jobId,
      ]);
      if (waiting.rowCount === 0) return undefined;
      await client.query(`set local lock_timeout = '10s'`);
      const removed = await remove(client);
      const told = typeof removed === 'number' ? [removed, null] : [null, removed.reason];
      return (await client.query<ChangedRow>(cancel, [jobId, from, ...told])).rows[0];
    });
    if (changed) announcer.announce(signalOf(changed));
    return changed !== undefined;
  };
}
