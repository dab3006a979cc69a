import { SluiceError } from '../../core/errors.js';
import type { LaunchedReplay, QuarantineFilter } from '../../jobs/quarantine/ports.js';
import type { NewJob } from '../../jobs/stores.js';
import { jobInsertion, notStored, readReplay } from '../insert-job.js';
import { type Announcer, signalOf } from '../job-change.js';
import { jobOf } from '../job-row.js';
import { type Pool, type Queryable, withTransaction } from '../pool.js';
import { MATCHES, RECORD, valuesOf } from './matching.js';
import { takeTurn } from './turn.js';

/** What one statement changes in good time; the rest is for another replay. */
const MOST_ROWS = 250_000;

/** How a replay is stored: the job and the claim of its rows, both or neither. */
export function replayLaunch(pool: Pool, announcer: Announcer) {
  const insertJob = jobInsertion(announcer);

  async function claim(db: Queryable, jobId: string, tenant: string, filter: QuarantineFilter): Promise<number> {
    await takeTurn(db, filter.jobId);
    const { rowCount } = await db.query(
      `with chosen as (
         select bad.id from sluice.quarantine as bad
         where ${MATCHES} and bad.status in ('OPEN', 'FIXED') and ${RECORD} is not null
         order by bad.id limit ${MOST_ROWS} for update
       )
       update sluice.quarantine as bad set status = 'REPLAYING', replay_job_id = $6 from chosen where bad.id = chosen.id`,
      [...valuesOf(tenant, filter), jobId],
    );
    return rowCount ?? 0;
  }

  return async (job: NewJob & { readonly replayOf: string }, filter: QuarantineFilter): Promise<LaunchedReplay> => {
    const launched = await withTransaction(pool, async (client) => {
      const row = await insertJob(client, job);
      if (row === undefined) return undefined;
      const rows = await claim(client, job.id, job.tenant, filter);
      if (rows > 0) return { row, rows };
      throw new SluiceError(
        'NOTHING_TO_REPLAY',
        'No row of the job fits the filter, has values and waits: fix rows first, or replay OPEN ones with a changed spec.',
      );
    });
    if (launched !== undefined) {
      announcer.announce(signalOf(launched.row));
      return { job: jobOf(launched.row), replayed: false, rows: launched.rows };
    }
    const first = await readReplay(pool, job);
    if (first === null) throw notStored();
    return { job: first, replayed: true, rows: await countReplayed(pool, first.id) };
  };
}

/** Rows that a replay has claimed and has not given back. */
export async function countReplayed(db: Queryable, jobId: string): Promise<number> {
  const { rows } = await db.query<{ n: number }>(
    `select count(*)::int as n from sluice.job as job join sluice.quarantine as bad
       on bad.tenant = job.tenant and bad.job_id = job.replay_of and bad.replay_job_id = job.id
     where job.id = $1`,
    [jobId],
  );
  return rows[0]?.n ?? 0;
}
