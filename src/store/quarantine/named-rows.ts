import { SluiceError, UserErrors } from '../../core/errors.js';
import type { QuarantineStatus } from '../../jobs/job.js';
import type { QuarantineFilter } from '../../jobs/quarantine/ports.js';
import type { Queryable } from '../pool.js';
import { MATCHES, valuesOf } from './matching.js';

/** A row that a caller has named by its id. */
export interface NamedRow {
  readonly id: bigint;
  readonly status: QuarantineStatus;
  /** False for a row that a `sql` step made. */
  readonly is_of_file: boolean;
}

// One way to write each, so that no row is named twice.
const ROW_ID = /^[1-9]\d{0,17}$/;
/** More mistakes than these help nobody. */
const TOLD = 10;

/**
 * Refuses ids of rows that there are not, or with which something is wrong.
 * @param at the member of the input with the ids, and that with the id of each, if there is one
 * @throws UserErrors ROW_NOT_FOUND, STATE_NOT_ALLOWED with the position in the ids
 */
export async function requireNamed(
  db: Queryable,
  tenant: string,
  { jobId, ids = [] }: QuarantineFilter,
  [list, ...member]: readonly [string, ...string[]],
  problemOf: (row: NamedRow) => string | undefined,
): Promise<void> {
  const { rows } = await db.query<NamedRow>(
    `select bad.id, bad.status, bad.file is not null as is_of_file from sluice.quarantine as bad where ${MATCHES}`,
    valuesOf(tenant, { jobId, ids }),
  );
  const known = new Map(rows.map((row) => [row.id, row]));
  const [first, ...rest] = ids.flatMap((id, i) => {
    const path = [list, i, ...member];
    const row = ROW_ID.test(id) ? known.get(BigInt(id)) : undefined;
    if (row === undefined)
      return [new SluiceError('ROW_NOT_FOUND', `The job has no quarantined row ${JSON.stringify(id)}.`, { path })];
    const problem = problemOf(row);
    return problem === undefined ? [] : [new SluiceError('STATE_NOT_ALLOWED', problem, { path })];
  });
  if (first) throw new UserErrors([first, ...rest.slice(0, TOLD - 1)]);
}
