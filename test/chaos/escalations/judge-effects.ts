import type { LogEntry } from '../../../escalation/ports.js';
import { derivedId } from '../../../src/core/ids.js';
import type { Pool } from '../../../src/store/pool.js';
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

/** What reports and verdicts have led to, over all escalations. */
export async function judgeEffects(pool: Pool, seen: Seen, findings: Findings): Promise<void> {
  await judgeReports(pool, seen, findings);
  await judgeActs(pool, findings);
  await judgeVerdicts(pool, seen, findings);
  await judgeHeldJobs(pool, seen, findings);
  await judgePauses(pool, findings);
}

/** Each failure opened an escalation, or counted as an occurrence of one. */
async function judgeReports(pool: Pool, seen: Seen, { reports, standing }: Findings): Promise<void> {
  const { rows } = await pool.query<{ id: string; done: boolean; kind: string }>(
    'select id, done, kind from sluice.failure_report',
  );
  for (const { id, done, kind } of rows) {
    if (!done) standing.push(`report ${id}: not taken up`);
    const times = (seen.occurrences.get(id) ?? 0) + (seen.escalations.has(derivedId(id, 'escalation')) ? 1 : 0);
    if (done && kind === 'FAILED' && times !== 1) reports.push(`report ${id}: counted ${times} times`);
  }
}

/** Each act on a job is an event of the job, which names the verdict, and an effect. */
async function judgeActs(pool: Pool, { verdicts }: Findings): Promise<void> {
  const { rows } = await pool.query<{ job: string; effects: number; events: number }>(
    `with effect as (
       select job_id, count(*)::int as effects from sluice.verdict_effect where outcome = 'APPLIED' group by job_id
     ), act as (
       select job_id, count(*)::int as events from sluice.job_event where message like '% decided %' group by job_id
     )
     select job_id as job, coalesce(effects, 0) as effects, coalesce(events, 0) as events
     from effect full join act using (job_id)`,
  );
  for (const { job, effects, events } of rows) {
    if (effects !== events) verdicts.push(`job ${job}: ${events} acts for ${effects} verdicts`);
  }
}

/** A verdict about jobs has to have been carried out on one of them at least; on which, the jobs themselves decided. */
async function judgeVerdicts(pool: Pool, seen: Seen, { verdicts }: Findings): Promise<void> {
  const { rows } = await pool.query<{ id: string; jobs: readonly string[] }>(
    `select escalation_id as id, array_agg(distinct job_id) as jobs from sluice.failure_report
     where escalation_id is not null and job_id is not null and kind = 'FAILED' group by escalation_id`,
  );
  const jobs = new Map(rows.map((row) => [row.id, row.jobs]));
  const { rows: effects } = await pool.query<{ id: string }>('select verdict_id as id from sluice.verdict_effect');
  const carriedOut = new Set(effects.map(({ id }) => id));
  for (const [verdict, { escalation, kind }] of seen.verdicts) {
    const about = jobs.get(escalation) ?? [];
    const ids = [verdict, ...about.map((job) => derivedId(verdict, job))];
    if (about.length > 0 && !ids.some((id) => carriedOut.has(id))) {
      verdicts.push(`${kind} ${verdict} of escalation ${escalation} never acted`);
    }
  }
}

/** Somebody is still asked about each job that awaits a decision, unless an agent closed the escalation as it was. */
async function judgeHeldJobs(pool: Pool, seen: Seen, { standing }: Findings): Promise<void> {
  const { rows } = await pool.query<{ job: string; open: boolean; escalations: readonly string[] }>(
    `select job.id as job, coalesce(bool_or(escalation.status <> 'RESOLVED'), false) as open,
       coalesce(array_agg(escalation.id) filter (where escalation.id is not null), '{}') as escalations
     from sluice.job as job
     left join sluice.failure_report as report on report.job_id = job.id
     left join sluice.escalation as escalation on escalation.id = report.escalation_id
     where job.state = 'AWAITING_DECISION' group by job.id`,
  );
  for (const { job, open, escalations } of rows) {
    if (open || escalations.some((escalation) => seen.closedByHand.has(escalation))) continue;
    standing.push(`job ${job}: held, and nobody is asked (${escalations.join(', ') || 'no escalation'})`);
  }
}

async function judgePauses(pool: Pool, { standing }: Findings): Promise<void> {
  const { rows } = await pool.query<{ target: string }>(
    `select pause.target from sluice.target_pause as pause
     join sluice.escalation on escalation.id = pause.escalation_id where escalation.status = 'RESOLVED'`,
  );
  for (const { target } of rows) standing.push(`target ${target}: paused for an escalation that is over`);
}
