import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SluiceError } from '../../../src/core/errors.js';
import { retryDelayMs } from '../../../src/jobs/retry-delay.js';

const POLICY = { baseMs: 500, capMs: 15_000 };
const HOUR = 3_600_000;
const failure = (details?: Record<string, unknown>) =>
  new SluiceError('UNAVAILABLE', 'Not now.', details && { details });
const seed = Date.now() % 2 ** 31;

describe('the wait before another try', () => {
  it('grows with the failures up to a cap, with full jitter below', () => {
    const ceilings = [1, 2, 3, 4, 5, 6, 7, 100].map((n) => retryDelayMs(POLICY, n, failure(), () => 1));
    expect(ceilings).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
    expect(retryDelayMs(POLICY, 3, failure(), () => 0)).toBe(0);
    expect(retryDelayMs(POLICY, 3, failure(), () => 0.25)).toBe(500);
  });

  it('is never shorter than what the error asks for, nor longer than that and the backoff', () => {
    const tries = fc.integer({ min: 1, max: 200 });
    const random = fc.double({ min: 0, max: 0.999, noNaN: true });
    fc.assert(
      fc.property(tries, random, fc.integer({ min: 0, max: 10 * HOUR }), (failed, number, retryAfterMs) => {
        const ms = retryDelayMs(POLICY, failed, failure({ retryAfterMs }), () => number);
        const asked = Math.min(retryAfterMs, HOUR);
        expect(ms).toBeGreaterThanOrEqual(asked);
        expect(ms).toBeLessThanOrEqual(asked + POLICY.capMs);
      }),
      { seed, verbose: 1 },
    );
  });

  it.each([undefined, null, '5', Number.NaN, -7])('is the backoff alone when it asks for %s', (retryAfterMs) => {
    expect(retryDelayMs(POLICY, 1, failure({ retryAfterMs }), () => 1)).toBe(500);
  });
});
