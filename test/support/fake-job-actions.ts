import type { JobActions } from '../../escalation/ports.js';
import type { Verdict } from '../../escalation/verdict.js';
import type { Pool } from '../../src/store/pool.js';

export interface FakeJobActions extends JobActions {
  /** Every act on a job, in order; a verdict that acts twice would stand here twice. */
  readonly acts: { readonly jobId: string; readonly verdict: Verdict }[];
  /** Called before an act, and after it: a place to fail. */
  before: (verdict: Verdict) => void;
  after: (verdict: Verdict) => void;
  /** What the job says to a verdict: why it cannot be carried out, or null. */
  refusal: (verdict: Verdict, jobId: string) => string | null;
  /** What is known of every job. */
  facts: Readonly<Record<string, unknown>>;
}

/** Jobs that do at once what a verdict says, and remember each verdict as they have to. */
export function fakeJobActions(pool: Pool): FakeJobActions {
  const outcomes = new Map<string, Awaited<ReturnType<JobActions['apply']>>>();
  const actions: FakeJobActions = {
    acts: [],
    before: () => {},
    after: () => {},
    refusal: () => null,
    facts: { stage: 'LOADING' },

    async apply(_tenant, jobId, verdict) {
      actions.before(verdict);
      const known = outcomes.get(verdict.id);
      if (known) return known;
      const reason = actions.refusal(verdict, jobId);
      const outcome = reason === null ? ({ outcome: 'APPLIED' } as const) : ({ outcome: 'FAILED', reason } as const);
      outcomes.set(verdict.id, outcome);
      if (reason === null) {
        actions.acts.push({ jobId, verdict });
        await pool.query(
          `update sluice.job set state = $2 where id = $1 and state = 'AWAITING_DECISION' and $2 <> 'AWAITING_DECISION'`,
          [jobId, STATE_AFTER[verdict.kind] ?? 'QUEUED'],
        );
      }
      actions.after(verdict);
      return outcome;
    },
    async pauseTarget(tenant, target, escalationId) {
      await pool.query('insert into sluice.target_pause values ($1, $2, $3) on conflict do nothing', [
        tenant,
        target,
        escalationId,
      ]);
    },
    async releaseTarget(tenant, target, escalationId) {
      await pool.query('delete from sluice.target_pause where (tenant, target, escalation_id) = ($1, $2, $3)', [
        tenant,
        target,
        escalationId,
      ]);
    },
    async evidence(_tenant, jobId) {
      const { rowCount } = await pool.query('select 1 from sluice.job where id = $1', [jobId]);
      return rowCount === 0 ? null : actions.facts;
    },
  };
  return actions;
}

const STATE_AFTER: Readonly<Partial<Record<Verdict['kind'], string>>> = {
  ABORT: 'FAILED',
  PAUSE_TARGET: 'AWAITING_DECISION',
};
