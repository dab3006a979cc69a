import type { LogEntry } from '../../escalation/ports.js';
import { derivedId } from '../../src/core/ids.js';
import type { Pool } from '../../src/store/pool.js';
import type { Findings } from './findings.js';

/** What of all escalations together the effects are held against. */
export interface Seen {
  readonly escalations: Set<string>;
  /** By the id of the report: how often it counted as an occurrence. */
  readonly occurrences: Map<string, number>;
  /** Those that an agent closed without a verdict, whose jobs stay held. */
  readonly closedByHand: Set<string>;
  /** Verdicts of agents that were accepted, by their id, with the escalation. */
  readonly verdicts: Map<string, { readonly escalation: string; readonly kind: string }>;
}

export const nothingSeen = (): Seen => ({
  escalations: new Set(),
  occurrences: new Map(),
  closedByHand: new Set(),
  verdicts: new Map(),
});

/** Notes what an escalation's log says about reports and verdicts. */
export function see(
  seen: Seen,
  escalationId: string,
  entries: readonly LogEntry[],
  lastChange: string | undefined,
): void {
  seen.escalations.add(escalationId);
  if (lastChange === 'RESOLVE') seen.closedByHand.add(escalationId);
  for (const { kind, data, status } of entries) {
    const report = String(data.report);
    if (kind === 'OCCURRED') seen.occurrences.set(report, (seen.occurrences.get(report) ?? 0) + 1);
    const verdict = (data.event as { verdict?: { id: string; kind: string } } | undefined)?.verdict;
    if (kind === 'DECIDE' && status === 'DECIDED' && verdict)
      seen.verdicts.set(verdict.id, { escalation: escalationId, kind: verdict.kind });
  }
}

/** Reports that were taken up not once, verdicts that acted not once, and jobs that nobody decides about any more. */
export async function judgeEffects(pool: Pool, seen: Seen, { effects, standing }: Findings): Promise<void> {
  const { rows: reports } = await pool.query<{ id: string; done: boolean; escalation_id: string | null; kind: string }>(
    'select id, done, escalation_id, kind from sluice.failure_report',
  );
  for (const { id, done, kind } of reports) {
    if (!done) standing.push(`report ${id}: not taken up`);
    const times = (seen.occurrences.get(id) ?? 0) + (seen.escalations.has(derivedId(id, 'escalation')) ? 1 : 0);
    if (done && kind === 'FAILED' && times !== 1) effects.push(`report ${id}: counted ${times} times`);
  }

  const { rows: acts } = await pool.query<{ id: string; effects: number; events: number }>(
    `select job.id, (select count(*)::int from sluice.verdict_effect as effect
         where effect.job_id = job.id and effect.outcome = 'APPLIED') as effects,
       (select count(*)::int from sluice.job_event as event
         where event.job_id = job.id and event.message like '% decided %') as events
     from sluice.job as job`,
  );
  for (const { id, effects: stored, events } of acts) {
    if (stored !== events) effects.push(`job ${id}: ${events} acts for ${stored} verdicts`);
  }

  const { rows: held } = await pool.query<{ id: string; open: boolean; escalations: readonly string[] }>(
    `select job.id, coalesce(bool_or(escalation.status <> 'RESOLVED'), false) as open,
       coalesce(array_agg(escalation.id) filter (where escalation.id is not null), '{}') as escalations
     from sluice.job as job
     left join sluice.failure_report as report on report.job_id = job.id
     left join sluice.escalation as escalation on escalation.id = report.escalation_id
     where job.state = 'AWAITING_DECISION' group by job.id`,
  );
  for (const { id, open, escalations } of held) {
    if (open || escalations.some((escalation) => seen.closedByHand.has(escalation))) continue;
    standing.push(`job ${id}: held, and nobody is asked (${escalations.join(', ') || 'no escalation'})`);
  }

  await judgeVerdicts(pool, seen, effects);
  const { rows: pauses } = await pool.query<{ target: string }>(
    `select pause.target from sluice.target_pause as pause
     join sluice.escalation on escalation.id = pause.escalation_id where escalation.status = 'RESOLVED'`,
  );
  for (const { target } of pauses) standing.push(`target ${target}: paused for an escalation that is over`);
}

/** A verdict about jobs has to have been carried out on one of them at least; on which, the jobs themselves decided. */
async function judgeVerdicts(pool: Pool, { verdicts }: Seen, effects: string[]): Promise<void> {
  const { rows } = await pool.query<{ id: string; jobs: readonly string[] }>(
    `select escalation.id, array_agg(distinct report.job_id) as jobs from sluice.escalation
     join sluice.failure_report as report on report.escalation_id = escalation.id and report.job_id is not null
     where report.kind = 'FAILED' group by escalation.id`,
  );
  const jobs = new Map(rows.map((row) => [row.id, row.jobs]));
  const { rows: stored } = await pool.query<{ verdict_id: string }>('select verdict_id from sluice.verdict_effect');
  const carriedOut = new Set(stored.map(({ verdict_id }) => verdict_id));
  for (const [verdict, { escalation, kind }] of verdicts) {
    const about = jobs.get(escalation) ?? [];
    const ids = [verdict, ...about.map((job) => derivedId(verdict, job))];
    if (about.length > 0 && !ids.some((id) => carriedOut.has(id))) {
      effects.push(`verdict ${verdict} ${kind} of escalation ${escalation} never acted`);
    }
  }
}
