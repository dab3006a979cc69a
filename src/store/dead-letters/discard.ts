import type { DeadLetterSelection, Taken } from '../../jobs/dead-letters/ports.js';
import { failureOf } from '../../jobs/failure.js';
import { type Announcer, type ChangedRow, guardOf, signalOf, TOUCH, withEvent } from '../job-change.js';
import { type Pool, withTransaction } from '../pool.js';
import { chooseDeadLetters, takenOf } from './choose.js';

/**
 * Gives dead jobs up. They keep their error and the moment in which they died: nothing is polished by it. What they have
 * staged, the sweeper removes.
 */
export function discardDeadLetters(pool: Pool, announcer: Announcer) {
  const discard = withEvent(announcer, {
    change: `update sluice.job as job set state = '${guardOf('CANCEL').to}', discarded_at = statement_timestamp(),
        discarded_by = $2, discard_reason = $3, ${TOUCH}
      where job.id = any($1::uuid[]) and job.state = 'DEAD' returning job.*`,
    kind: 'STATE',
    message: `'Discarded by ' || job.discarded_by || ': ' || job.discard_reason`,
  });

  return async (tenant: string, by: string, selection: DeadLetterSelection, reason: string): Promise<Taken> => {
    try {
      const { changed, answer } = await withTransaction(pool, async (client) => {
        await client.query(`set local lock_timeout = '10s'`);
        const { jobs, refused, remaining } = await chooseDeadLetters(client, tenant, selection);
        const { rows } = await client.query<ChangedRow>(discard, [jobs.map(({ id }) => id), by, reason]);
        return { changed: rows, answer: takenOf(rows.length, refused, remaining) };
      });
      for (const row of changed) announcer.announce(signalOf(row));
      return answer;
    } catch (error) {
      throw failureOf(error);
    }
  };
}
