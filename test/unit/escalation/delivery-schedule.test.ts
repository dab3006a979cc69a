import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextTryMs } from '../../../escalation/delivery-schedule.js';

const HOUR = 3_600_000;

/** Waits between tries when every one fails, up to the last. */
function waits(hasAnother: boolean, random: () => number, afterMs: number | null = null): number[] {
  const all: number[] = [];
  for (let attempt = 1; ; attempt++) {
    const wait = nextTryMs({ attempt, hasAnother, afterMs, random });
    if (wait === null) return all;
    all.push(wait);
  }
}
const total = (all: readonly number[]) => all.reduce((sum, wait) => sum + wait, 0);

describe('the schedule of tries', () => {
  it('outlasts a webhook that answers 500 for an hour when there is no other channel, and ends', () => {
    expect(total(waits(false, () => 0))).toBeGreaterThan(2 * HOUR);
    expect(total(waits(false, () => 0.999_999))).toBeLessThan(6 * HOUR);
  });

  it('goes on to another channel within some two minutes when there is one', () => {
    expect(waits(true, () => 0.999_999)).toHaveLength(7);
    expect(total(waits(true, () => 0.999_999))).toBeLessThan(130_000);
    expect(total(waits(true, () => 0))).toBeGreaterThan(60_000);
  });

  it('waits longer each time, ten minutes at most, and never less than half of that', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 39 }),
        fc.double({ min: 0, max: 0.999_999, noNaN: true }),
        (attempt, dice) => {
          const wait = nextTryMs({ attempt, hasAnother: false, afterMs: null, random: () => dice }) ?? Number.NaN;
          const ceiling = Math.min(600_000, 1_000 * 2 ** (attempt - 1));
          expect(wait).toBeGreaterThanOrEqual(ceiling / 2);
          expect(wait).toBeLessThanOrEqual(ceiling);
        },
      ),
    );
  });

  it('comes back when the other side says, not earlier', () => {
    expect(nextTryMs({ attempt: 1, hasAnother: true, afterMs: 60_000, random: () => 0 })).toBe(60_000);
    expect(nextTryMs({ attempt: 1, hasAnother: false, afterMs: HOUR, random: () => 0 })).toBe(HOUR);
    expect(nextTryMs({ attempt: 20, hasAnother: false, afterMs: 1_000, random: () => 0 })).toBe(300_000);
  });

  it('does not let an agent wait for an hour that can be reached otherwise', () => {
    expect(nextTryMs({ attempt: 1, hasAnother: true, afterMs: HOUR, random: () => 0 })).toBeNull();
  });
});
