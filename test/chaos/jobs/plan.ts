import { chosen } from '../../support/seeded.js';
import { ENVIRONMENT_FAULTS, type EnvironmentFault } from './environment.js';
import type { Moment, StatementFault } from './fault.js';

export interface StatementPoint {
  readonly at: 'statement';
  readonly kind: StatementFault;
  readonly moment: Moment;
  readonly key: string;
  readonly nth: number;
}
export type Point = StatementPoint | { readonly at: 'environment'; readonly kind: EnvironmentFault };

const KINDS: readonly StatementFault[] = ['KILL', 'TERMINATE', 'CUT'];
const MOMENTS: readonly Moment[] = ['BEFORE', 'AFTER'];
/** One in so many points breaks what is around the processes; one in so many moves a clock. */
const ENVIRONMENT_EVERY = 20;
const CLOCK_EVERY = 50;

/**
 * Every statement with every fault, before and after it, in a random order and again until there are enough.
 * @param keys the statements, in any order
 */
export function planPoints(
  random: () => number,
  keys: readonly string[],
  count: number,
  environment: readonly EnvironmentFault[] = ENVIRONMENT_FAULTS,
): readonly Point[] {
  const all = keys.flatMap((key) => KINDS.flatMap((kind) => MOMENTS.map((moment) => ({ key, kind, moment }))));
  let round: typeof all = [];
  const next = (): Point => {
    if (round.length === 0) round = shuffled(all, random);
    const point = round.pop();
    if (point === undefined) throw new Error('there is no statement to break');
    return { at: 'statement', ...point, nth: 1 + Math.floor(random() * 3) };
  };
  return Array.from({ length: count }, (_, i): Point => {
    if (i % ENVIRONMENT_EVERY === ENVIRONMENT_EVERY - 1) {
      return { at: 'environment', kind: chosen(environment, random) };
    }
    const point = next();
    return point.at === 'statement' && i % CLOCK_EVERY === CLOCK_EVERY - 2 ? { ...point, kind: 'CLOCK' } : point;
  });
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const list = [...items];
  for (let i = list.length - 1; i > 0; i -= 1) {
    const j = Math.floor(random() * (i + 1));
    const [a, b] = [list[i], list[j]];
    if (a !== undefined && b !== undefined) [list[i], list[j]] = [b, a];
  }
  return list;
}
