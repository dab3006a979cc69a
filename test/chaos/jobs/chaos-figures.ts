import type { Figure } from '../../bench/figures.js';
import { percentile } from '../../bench/statistics.js';
import { count, never } from '../counts.js';
import type { ChaosResult } from './chaos.js';

/** A killed worker's job goes on within this. */
const RECOVERY_MS = 10_000;
const CANCEL_MS = 1_000;

/** What the run counted and measured, with what it should be. */
export function chaosFigures(result: ChaosResult): readonly Figure[] {
  const { findings, struck, recoveryMs, cancelMs, scenarios, floodMs } = result;
  const total = [...struck.values()].reduce((sum, each) => sum + each, 0);
  return [
    count('points', total, `of ${result.statements} statements; ${result.missed} did not come`),
    ...[...struck].map(([kind, times]) => count(`  ${kind}`, times)),
    count('jobs', result.jobs, `${result.redriven} of them tried again by hand`),
    count('launches asked for again', result.repeatedLaunches),
    never('lost jobs', findings.lost),
    never('targets and quarantines that differ', findings.differing),
    never('counters that differ', findings.unbalanced),
    never('launches that were not one', findings.launches),
    never('gaps in events', findings.events),
    never('processes that ended by themselves', findings.crashes),
    ...(recoveryMs.length === 0
      ? []
      : [
          {
            name: 'killed in a part until it goes on, p50',
            value: percentile(recoveryMs, 0.5),
            unit: 'ms',
            note: `${recoveryMs.length} times, settings as they are`,
          },
          {
            name: 'killed in a part until it goes on, max',
            value: percentile(recoveryMs, 1),
            unit: 'ms',
            objective: { max: RECOVERY_MS },
          },
        ]),
    ...(cancelMs.length === 0
      ? []
      : [
          {
            name: 'cancel until the worker has stopped, p99',
            value: percentile(cancelMs, 0.99),
            unit: 'ms',
            objective: { max: CANCEL_MS },
            note: `${cancelMs.length} jobs in all stages, by any gateway`,
          },
        ]),
    ...(floodMs === undefined
      ? []
      : [
          {
            name: 'FLUSHALL until every waiting job has a hint',
            value: floodMs,
            unit: 'ms',
            objective: { max: RECOVERY_MS },
          },
        ]),
    ...scenarios.flatMap(({ name, ratio, before, after, recoveryMs: awayMs }): Figure[] => [
      {
        name: `${name}, throughput after / before`,
        value: 100 * ratio,
        unit: '%',
        objective: { min: 95 },
        note: `${before.toFixed(1)} and ${after.toFixed(1)} jobs/s; done again after ${Math.round(awayMs)} ms`,
      },
    ]),
  ];
}
