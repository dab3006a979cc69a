/** A kill: which process, and how long after the kill before. */
export interface Kill {
  readonly slot: number;
  readonly afterMs: number;
  /** Also when no other process works: then there is nobody to fail over to until one has started. */
  readonly isHasty: boolean;
}

const HASTY = 0.05;

/** Now and then several in a row, and now and then a while of peace: exponential, cut at five times the mean. */
export function killPlan(random: () => number, kills: number, slots: number, meanMs: number): readonly Kill[] {
  return Array.from({ length: kills }, () => {
    const slot = Math.floor(random() * slots);
    const afterMs = Math.round(meanMs * Math.min(5, -Math.log(1 - random())));
    return { slot, afterMs, isHasty: random() < HASTY };
  });
}
