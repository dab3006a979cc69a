/** Something that happens on a time line. */
export interface Moment {
  /** Since the beginning. */
  readonly ms: number;
  /** Since the moment before. */
  readonly waitMs: number;
  readonly text: string;
}

/** In place of moments that repeat those before it. */
export interface Fold {
  readonly times: number;
  readonly everyMs: number;
}

/** As many steps as a policy can have. */
const LONGEST_PERIOD = 20;
/** Two in a row are read as quickly as what would stand for them. */
const FEWEST_ROUNDS = 3;

/** A ladder that is climbed for a week, as somebody reads it: one round, and how often it comes again. */
export function foldRepeats(moments: readonly Moment[]): readonly (Moment | Fold)[] {
  const shown: (Moment | Fold)[] = [];
  for (let start = 0; start < moments.length; ) {
    const { period, rounds } = repeatsAt(moments, start);
    const round = moments.slice(start, start + period);
    shown.push(...round);
    if (rounds > 1) shown.push({ times: rounds - 1, everyMs: round.reduce((sum, { waitMs }) => sum + waitMs, 0) });
    start += period * rounds;
  }
  return shown;
}

/** The shortest round that begins there and comes often enough; the one moment when there is none. */
function repeatsAt(moments: readonly Moment[], start: number): { readonly period: number; readonly rounds: number } {
  for (let period = 1; period <= LONGEST_PERIOD; period += 1) {
    let end = start + period;
    while (end < moments.length && isSame(moments[end], moments[end - period])) end += 1;
    const rounds = Math.floor((end - start) / period);
    if (rounds >= FEWEST_ROUNDS) return { period, rounds };
  }
  return { period: 1, rounds: 1 };
}

const isSame = (one: Moment | undefined, other: Moment | undefined): boolean =>
  one?.text === other?.text && one?.waitMs === other?.waitMs;
