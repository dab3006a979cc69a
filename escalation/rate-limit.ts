import type { Clock } from '../src/core/clock.js';

/** How often an address is called, in this process. */
export interface RateLimit {
  /** Takes one call. @returns 0 when it may be made, else the milliseconds until it is worth asking again; nothing was taken then */
  take(key: string): number;
}

export interface RateLimitOptions {
  readonly perSecond: number;
  /** Calls that may come together after a quiet time. */
  readonly burst: number;
  readonly clock: Clock;
}

/** Who is refused waits until a fifth of a second's calls are free, so that a flood is not looked at call by call. */
const BATCHES_PER_SECOND = 5;
/** Addresses remembered before the rested ones are forgotten. */
const MOST_KEYS = 10_000;

/** A token bucket per key. */
export function createRateLimit({ perSecond, burst, clock }: RateLimitOptions): RateLimit {
  const buckets = new Map<string, { tokens: number; at: number }>();
  const batch = Math.min(burst, Math.max(1, perSecond / BATCHES_PER_SECOND));

  const filled = ({ tokens, at }: { tokens: number; at: number }, now: number) =>
    Math.min(burst, tokens + ((now - at) * perSecond) / 1_000);

  function forgetRested(now: number): void {
    for (const [key, bucket] of buckets) if (filled(bucket, now) >= burst) buckets.delete(key);
  }

  return {
    take(key) {
      const now = clock.monotonicMs();
      const bucket = buckets.get(key);
      const tokens = bucket ? filled(bucket, now) : burst;
      if (tokens < 1) return Math.ceil(((batch - tokens) * 1_000) / perSecond);
      if (!bucket && buckets.size >= MOST_KEYS) forgetRested(now);
      buckets.set(key, { tokens: tokens - 1, at: now });
      return 0;
    },
  };
}
