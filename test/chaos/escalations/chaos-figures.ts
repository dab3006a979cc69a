import type { Figure } from '../../bench/figures.js';
import { percentile } from '../../bench/statistics.js';
import { count, never } from '../counts.js';
import type { ChaosResult } from './chaos.js';
import type { Late } from './judge.js';

/** What fail-over promises: how late something may be of which the process died that had it in hand. */
const LATE_MS = 1_000;

/** What the run counted and measured, with what it should be. */
export function chaosFigures(result: ChaosResult): readonly Figure[] {
  const { findings, writes, steps, deliveries, openings } = result;
  return [
    count('kills', result.kills, 'of 2 processes that escalate and deliver'),
    count('escalations', result.escalations),
    count('due steps', steps.length),
    count('logical notifications', result.notifications),
    count('writes of agents', writes.accepted, `${writes.conflicts} conflicts, ${writes.refusals} refused`),
    count('verdicts carried out', result.verdicts),
    count('rows of the log', result.logRows),
    never('missed: steps without a notification', findings.missedSteps),
    never('missed: notifications that reached nobody', findings.unreached),
    never('missed: what stands still', findings.standing),
    never('second logical notifications', findings.secondNotifications),
    count('tries', result.tries, `${result.repeats} of them repeated, under the same webhook-id`),
    never('differences from the state table', findings.differences),
    never('lost writes of agents', findings.writes),
    never('verdicts that acted not exactly once', findings.verdicts),
    never('reports that counted not exactly once', findings.reports),
    never('faults of the log: audit verify, gaps, readers', findings.log),
    ...outageFigures(result),
    // The row of the log is the last thing before the commit.
    ...lateness('due step to its row in the log', steps, result, LATE_MS),
    ...lateness('notification to its first try', deliveries, result, LATE_MS),
    ...lateness('failure to its escalation', openings, result),
  ];
}

function outageFigures({ outages, from, to }: ChaosResult): readonly Figure[] {
  const downMs = outages.map((outage) => outage.to - outage.from);
  return [
    { name: 'killed process to its successor, p50', value: percentile(downMs, 0.5), unit: 'ms' },
    { name: 'time without any process', value: (100 * nobody(outages)) / (to - from), unit: '%' },
  ];
}

/** Of what was due while processes were being killed. */
function lateness(
  name: string,
  all: readonly Late[],
  { from, to }: ChaosResult,
  objectiveMs?: number,
): readonly Figure[] {
  const lateMs = all.flatMap((one) => (one.dueAt >= from && one.dueAt < to ? [one.lateMs] : []));
  const figure = (what: string, p: number): Figure => ({
    name: `${name}, ${what}`,
    value: percentile(lateMs, p),
    unit: 'ms',
  });
  return [
    { ...figure('p50', 0.5), note: `${lateMs.length} while processes were killed` },
    { ...figure('p99', 0.99), ...(objectiveMs !== undefined && { objective: { max: objectiveMs } }) },
    figure('max', 1),
  ];
}

/** For how long at least two outages, of which there is one a process, fell together. */
function nobody(outages: readonly { readonly from: number; readonly to: number }[]): number {
  const edges = outages.flatMap(({ from, to }) => [
    { at: from, by: 1 },
    { at: to, by: -1 },
  ]);
  edges.sort((a, b) => a.at - b.at || a.by - b.by);
  let [down, since, sum] = [0, 0, 0];
  for (const { at, by } of edges) {
    if (down >= 2) sum += at - since;
    down += by;
    since = at;
  }
  return sum;
}
