import type { Attempt, AttemptEnd, AttemptStore } from '../jobs/stores.js';
import type { AttemptRow } from './attempt-row.js';
import { type Announcer, type ChangedRow, guardOf, signalOf, TOUCH, withEvent } from './job-change.js';
import { type Pool, withTransaction } from './pool.js';
import { NOT_EVALUATED } from './requeue-job.js';

/** How an attempt ends of which nothing is to be kept: the next one begins with the source. */
export function beginAnew(pool: Pool, announcer: Announcer): AttemptStore['beginAnew'] {
  const retry = guardOf('RETRY');
  const change = withEvent(announcer, {
    ctes: NOT_EVALUATED.ctes,
    change: `update sluice.job as job set state = '${retry.to}', stage = null, error = $4::jsonb,
        due_at = statement_timestamp() + $5 * interval '1 ms', lease_token = null, lease_until = null, worker = null,
        ${NOT_EVALUATED.change}, ${TOUCH}
      where job.id = $1 and job.lease_token = $2 and job.state = any($3) returning job.*`,
    kind: 'STATE',
    message: '$6::text',
    reports: true,
    attempt: { ends: `'FAILED'` },
  });
  return async ({ job, token }: Attempt, { message, error, dueInMs }: AttemptEnd, remove) => {
    const changed = await withTransaction(pool, async (client) => {
      // A straggler's COPY may hold what has to go.
      await client.query(`set local lock_timeout = '10s'`);
      const { rows } = await client.query<Pick<AttemptRow, 'prepared'>>(
        `select job.prepared from sluice.job as job where job.id = $1 and job.lease_token = $2 and job.state = any($3)
           and not job.cancel_requested and not job.pause_requested for update`,
        [job.id, token, retry.from],
      );
      if (!rows[0]) return undefined;
      await remove(rows[0].prepared, client);
      const values = [job.id, token, retry.from, error ? JSON.stringify(error) : null, dueInMs ?? 0, message];
      return (await client.query<ChangedRow>(change, values)).rows[0];
    });
    if (changed) announcer.announce(signalOf(changed));
    return changed !== undefined;
  };
}
