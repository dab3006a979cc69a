import {
  type DeadLetter,
  type DeadLetterFilter,
  type DeadLetterGroup,
  MOST_NAMES,
} from '../../jobs/dead-letters/ports.js';
import type { Page, PageRequest } from '../../jobs/ports.js';
import { cursorInvalid, decodeCursor, encodeCursor, ID_KEY, TIMESTAMP_KEY } from '../cursor.js';
import { isDataError } from '../job-list.js';
import { JOB_COLUMNS, type JobRow, jobOf } from '../job-row.js';
import type { Pool } from '../pool.js';
import { whereOf } from './where.js';

const LIST = 'deadLetters';

type DeadRow = JobRow & { readonly died_at: string; readonly fingerprint: string; readonly redrives: number };

/** Those that died last first. @throws SluiceError CURSOR_INVALID */
export async function listDeadLetters(
  pool: Pool,
  tenant: string,
  filter: DeadLetterFilter,
  { first, after }: PageRequest,
): Promise<Page<DeadLetter>> {
  const where = whereOf(tenant, filter);
  const values = [...where.values];
  let beyond = '';
  if (after !== null) {
    values.push(...decodeCursor(LIST, after, [TIMESTAMP_KEY, ID_KEY]));
    beyond = `and (job.finished_at, job.id) < ($${values.length - 1}::timestamptz, $${values.length}::uuid)`;
  }
  // One more than asked for tells whether there is a next page.
  values.push(first + 1);
  const [{ rows }, { rows: counted }] = await Promise.all([
    pool
      .query<DeadRow>(
        `select ${JOB_COLUMNS}, job.finished_at::text as died_at, job.fingerprint,
           (select count(*)::int from sluice.job_redrive as redrive where redrive.job_id = job.id) as redrives
         from sluice.job as job where ${where.sql} ${beyond}
         order by job.finished_at desc, job.id desc limit $${values.length}`,
        values,
      )
      .catch((error: unknown) => {
        // The cursor had the right shape and still a value that no page can have ended with, e.g. February 30th.
        throw after !== null && isDataError(error) ? cursorInvalid(error) : error;
      }),
    pool.query<{ total: bigint }>(`select count(*) as total from sluice.job as job where ${where.sql}`, [
      ...where.values,
    ]),
  ]);
  return {
    items: rows.slice(0, first).map((row) => ({
      cursor: encodeCursor(LIST, [row.died_at, row.id]),
      node: { job: jobOf(row), fingerprint: row.fingerprint, redriveCount: row.redrives },
    })),
    hasNextPage: rows.length > first,
    totalCount: Number(counted[0]?.total ?? 0),
  };
}

type GroupRow = JobRow & {
  readonly fingerprint: string;
  readonly jobs: bigint;
  readonly first_died_at: Date;
  readonly last_died_at: Date;
  readonly names: readonly string[];
  readonly name_count: bigint;
};

/** The largest first. */
export async function groupDeadLetters(
  pool: Pool,
  tenant: string,
  filter: DeadLetterFilter,
  first: number,
): Promise<readonly DeadLetterGroup[]> {
  const where = whereOf(tenant, filter);
  const { rows } = await pool.query<GroupRow>(
    `with dead as (
       select job.fingerprint, count(*) as jobs, min(job.finished_at) as first_died_at,
         max(job.finished_at) as last_died_at, count(distinct job.name) as name_count,
         (array_agg(distinct job.name order by job.name))[1:${MOST_NAMES}] as names,
         (array_agg(job.id order by job.finished_at desc, job.id desc))[1] as sample_id
       from sluice.job as job where ${where.sql} group by job.fingerprint
       order by jobs desc, last_died_at desc, job.fingerprint limit $${where.values.length + 1}
     )
     select dead.*, ${JOB_COLUMNS} from dead join sluice.job as job on job.id = dead.sample_id
     order by dead.jobs desc, dead.last_died_at desc, dead.fingerprint`,
    [...where.values, first],
  );
  return rows.map((row) => ({
    fingerprint: row.fingerprint,
    count: Number(row.jobs),
    firstDiedAt: row.first_died_at,
    lastDiedAt: row.last_died_at,
    names: row.names,
    nameCount: Number(row.name_count),
    sample: jobOf(row),
  }));
}
