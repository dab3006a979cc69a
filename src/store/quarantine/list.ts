import { isId } from '../../core/ids.js';
import type { QuarantinedRow, QuarantineStatus } from '../../jobs/job.js';
import type { Page, PageRequest } from '../../jobs/ports.js';
import type { QuarantineFilter, QuarantineOverview } from '../../jobs/quarantine/ports.js';
import { decodeCursor, encodeCursor } from '../cursor.js';
import type { Queryable } from '../pool.js';
import { IS_SPLIT, MATCHES, ROW_KEY, valuesOf } from './matching.js';
import { QUARANTINE_COLUMNS, type QuarantineRow, quarantinedRowOf } from './row.js';

export async function listQuarantine(
  db: Queryable,
  tenant: string,
  filter: QuarantineFilter,
  { first, after }: PageRequest,
): Promise<Page<QuarantinedRow>> {
  if (!isId(filter.jobId)) return { items: [], hasNextPage: false, totalCount: 0 };
  const cursorName = `quarantine/${filter.jobId}`;
  const values = valuesOf(tenant, filter);
  const [afterId] = after === null ? ['0'] : decodeCursor(cursorName, after, [ROW_KEY]);
  const [{ rows }, { rows: counted }] = await Promise.all([
    db.query<QuarantineRow>(
      `select ${QUARANTINE_COLUMNS} from sluice.quarantine as bad
       where ${MATCHES} and bad.id > $6::bigint order by bad.id limit $7`,
      [...values, afterId, first + 1],
    ),
    db.query<{ total: bigint }>(`select count(*) as total from sluice.quarantine as bad where ${MATCHES}`, values),
  ]);
  return {
    items: rows
      .slice(0, first)
      .map((row) => ({ cursor: encodeCursor(cursorName, [String(row.id)]), node: quarantinedRowOf(row) })),
    hasNextPage: rows.length > first,
    totalCount: Number(counted[0]?.total ?? 0),
  };
}

interface GroupRow extends QuarantineRow {
  readonly code: string;
  readonly at_column: string | null;
  readonly expectation: number | null;
  readonly rows: bigint;
  readonly groups: bigint;
}

/** Rows by what is wrong with them, most first; one with several reasons is in several groups. */
export async function groupQuarantine(
  db: Queryable,
  tenant: string,
  filter: QuarantineFilter,
  first: number,
): Promise<QuarantineOverview> {
  const values = valuesOf(tenant, filter);
  const [{ rows }, { rows: counts }] = await Promise.all([
    db.query<GroupRow>(
      `with reason as (
         select bad.id, item ->> 'code' as code, item ->> 'column' as at_column, (item ->> 'expectation')::int as expectation
         from sluice.quarantine as bad cross join jsonb_array_elements(bad.reasons) as item
         where ${MATCHES} and ($4::jsonb is null or jsonb_build_array(item) @> $4)
       ), grouped as (
         select code, at_column, expectation, count(distinct id) as rows, min(id) as sample, count(*) over () as groups
         from reason group by code, at_column, expectation
       )
       select grouped.code, grouped.at_column, grouped.expectation, grouped.rows, grouped.groups, ${QUARANTINE_COLUMNS}
       from grouped join sluice.quarantine as bad on bad.id = grouped.sample
       order by grouped.rows desc, grouped.code, grouped.at_column nulls first, grouped.expectation limit $6`,
      [...values, first],
    ),
    db.query<{ status: QuarantineStatus; rows: bigint }>(
      `select bad.status, count(*) as rows from sluice.quarantine as bad where ${MATCHES}
       group by bad.status order by bad.status`,
      values,
    ),
  ]);
  return {
    groups: rows.map((row) => ({
      code: row.code,
      column: row.at_column,
      expectation: row.expectation,
      rows: Number(row.rows),
      sample: quarantinedRowOf(row),
    })),
    totalGroups: Number(rows[0]?.groups ?? 0),
    counts: counts.map(({ status, rows: n }) => ({ status, rows: Number(n) })),
  };
}

/** The next rows after an id, for a reader that goes through all of them. */
export async function readQuarantine(
  db: Queryable,
  tenant: string,
  filter: QuarantineFilter,
  afterId: string,
  limit: number,
): Promise<readonly (QuarantinedRow & { readonly isSplit: boolean })[]> {
  const { rows } = await db.query<QuarantineRow & { is_split: boolean }>(
    `select ${QUARANTINE_COLUMNS}, ${IS_SPLIT} as is_split from sluice.quarantine as bad
     where ${MATCHES} and bad.id > $6::bigint order by bad.id limit $7`,
    [...valuesOf(tenant, filter), afterId, limit],
  );
  return rows.map((row) => ({ ...quarantinedRowOf(row), isSplit: row.is_split }));
}
