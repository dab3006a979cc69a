import type { EscalationFilter, EscalationPage } from '../../escalation/ports.js';
import { decodeCursor, encodeCursor, ID_KEY, TIMESTAMP_KEY } from './cursor.js';
import { type EscalationRow, escalationOf } from './escalation-row.js';
import type { Pool } from './pool.js';

const LIST = 'escalations';

/** Newest first. @throws SluiceError CURSOR_INVALID */
export async function listEscalations(
  pool: Pool,
  tenant: string,
  filter: EscalationFilter,
  { first, after }: { readonly first: number; readonly after: string | null },
): Promise<EscalationPage> {
  const values: unknown[] = [tenant];
  const conditions = ['tenant = $1'];
  const add = (condition: (parameter: string) => string, value: unknown): void => {
    values.push(value);
    conditions.push(condition(`$${values.length}`));
  };
  if (filter.statuses) add((p) => `status = any(${p})`, filter.statuses);
  if (filter.failureClasses) add((p) => `failure_class = any(${p})`, filter.failureClasses);
  if (filter.agent !== undefined) add((p) => `${p} = any(agents)`, filter.agent);
  if (filter.jobId !== undefined) {
    add(
      (p) => `(job_id = ${p} or id in (select escalation_id from sluice.failure_report where job_id = ${p}))`,
      filter.jobId,
    );
  }
  const where = conditions.join(' and ');
  const counted = pool.query<{ total: bigint }>(`select count(*) as total from sluice.escalation where ${where}`, [
    ...values,
  ]);
  let beyond = '';
  if (after !== null) {
    values.push(...decodeCursor(LIST, after, [TIMESTAMP_KEY, ID_KEY]));
    beyond = `and (opened_at, id) < ($${values.length - 1}::timestamptz, $${values.length}::uuid)`;
  }
  // One more than asked for tells whether there is a next page.
  values.push(first + 1);
  const [{ rows }, { rows: totals }] = await Promise.all([
    pool.query<EscalationRow & { sort_key: string }>(
      `select *, opened_at::text as sort_key from sluice.escalation where ${where} ${beyond}
       order by opened_at desc, id desc limit $${values.length}`,
      values,
    ),
    counted,
  ]);
  return {
    items: rows
      .slice(0, first)
      .map((row) => ({ cursor: encodeCursor(LIST, [row.sort_key, row.id]), node: escalationOf(row) })),
    hasNextPage: rows.length > first,
    totalCount: Number(totals[0]?.total ?? 0),
  };
}
