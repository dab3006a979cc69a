import type { JobActions } from '../../escalation/ports.js';
import type { Verdict } from '../../escalation/verdict.js';
import type { Queryable } from './pool.js';

export type Acted = Awaited<ReturnType<JobActions['apply']>>;

interface EffectRow {
  readonly outcome: Acted['outcome'];
  readonly reason: string | null;
}

/** What came of a verdict that was carried out before; undefined when it was not. */
export async function readEffect(db: Queryable, verdictId: string): Promise<Acted | undefined> {
  const { rows } = await db.query<EffectRow>(
    'select outcome, reason from sluice.verdict_effect where verdict_id = $1',
    [verdictId],
  );
  const [row] = rows;
  if (row === undefined) return undefined;
  return row.outcome === 'APPLIED'
    ? { outcome: 'APPLIED' }
    : { outcome: 'FAILED', reason: row.reason ?? 'The reason is not known.' };
}

/**
 * Takes the verdict for the transaction that carries it out: another one that has it waits here, and then finds it done.
 * @returns false when it is done
 */
export async function takeEffect(
  db: Queryable,
  tenant: string,
  jobId: string,
  { id, kind }: Pick<Verdict, 'id' | 'kind'>,
  acted: Acted,
): Promise<boolean> {
  const { rowCount } = await db.query(
    `insert into sluice.verdict_effect (verdict_id, tenant, job_id, kind, outcome, reason) values ($1, $2, $3, $4, $5, $6)
     on conflict (verdict_id) do nothing`,
    [id, tenant, jobId, kind, acted.outcome, acted.outcome === 'FAILED' ? acted.reason : null],
  );
  return rowCount === 1;
}
