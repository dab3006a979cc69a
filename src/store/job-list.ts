import type { Job } from '../jobs/job.js';
import type { JobFilter, JobOrder } from '../jobs/job-service.js';
import type { Page, PageRequest } from '../jobs/ports.js';
import { cursorInvalid, decodeCursor, encodeCursor, ID_KEY, NUMBER_KEY, TEXT_KEY, TIMESTAMP_KEY } from './cursor.js';
import { JOB_COLUMNS, type JobRow, jobOf } from './job-row.js';
import type { Pool } from './pool.js';

/** What a list can be sorted by; the id makes every order total. Jobs that have not finished sort as the latest. */
const SORT_KEYS: Readonly<
  Record<JobOrder['field'], { readonly sql: string; readonly type: string; readonly shape: RegExp }>
> = {
  CREATED_AT: { sql: 'job.created_at', type: 'timestamptz', shape: TIMESTAMP_KEY },
  FINISHED_AT: { sql: `coalesce(job.finished_at, 'infinity')`, type: 'timestamptz', shape: TIMESTAMP_KEY },
  NAME: { sql: 'job.name', type: 'text', shape: TEXT_KEY },
  PRIORITY: { sql: 'job.priority', type: 'integer', shape: NUMBER_KEY },
};

const escapeLike = (text: string): string => text.replaceAll(/[\\%_]/g, (special) => `\\${special}`);

interface Where {
  readonly sql: string;
  readonly values: readonly unknown[];
}

function whereOf(tenant: string, filter: JobFilter): Where {
  const values: unknown[] = [tenant];
  const conditions = ['job.tenant = $1'];
  const add = (condition: (parameter: string) => string, value: unknown) => {
    values.push(value);
    conditions.push(condition(`$${values.length}`));
  };
  if (filter.states) add((p) => `job.state = any(${p})`, filter.states);
  if (filter.kinds) add((p) => `job.kind = any(${p})`, filter.kinds);
  if (filter.name !== undefined) add((p) => `job.name = ${p}`, filter.name);
  if (filter.createdAfter) add((p) => `job.created_at > ${p}`, filter.createdAfter);
  if (filter.createdBefore) add((p) => `job.created_at < ${p}`, filter.createdBefore);
  if (filter.search) {
    add((p) => `(job.name ilike ${p} or job.id::text ilike ${p})`, `%${escapeLike(filter.search)}%`);
  }
  return { sql: conditions.join(' and '), values };
}

export const isDataError = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('22');

/** @throws SluiceError CURSOR_INVALID */
export async function listJobs(
  pool: Pool,
  tenant: string,
  filter: JobFilter,
  order: JobOrder,
  { first, after }: PageRequest,
): Promise<Page<Job>> {
  const { sql: sortKey, type, shape } = SORT_KEYS[order.field];
  const list = `jobs/${order.field}/${order.direction}`;
  const where = whereOf(tenant, filter);
  const values = [...where.values];
  let beyond = '';
  if (after !== null) {
    values.push(...decodeCursor(list, after, [shape, ID_KEY]));
    const sign = order.direction === 'ASC' ? '>' : '<';
    beyond = `and (${sortKey}, job.id) ${sign} ($${values.length - 1}::${type}, $${values.length}::uuid)`;
  }
  // One more than asked for tells whether there is a next page.
  values.push(first + 1);
  const [{ rows }, { rows: counted }] = await Promise.all([
    pool
      .query<JobRow & { sort_key: string }>(
        `select ${JOB_COLUMNS}, (${sortKey})::text as sort_key from sluice.job as job where ${where.sql} ${beyond}
         order by ${sortKey} ${order.direction}, job.id ${order.direction} limit $${values.length}`,
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
    items: rows
      .slice(0, first)
      .map((row) => ({ cursor: encodeCursor(list, [row.sort_key, row.id]), node: jobOf(row) })),
    hasNextPage: rows.length > first,
    totalCount: Number(counted[0]?.total ?? 0),
  };
}
