export interface Backoff {
  readonly baseMs: number;
  readonly capMs: number;
}

/**
 * Exponential backoff with full jitter ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015):
 * a uniform wait in [0, min(cap, base * 2^(attempt-1))], so that many failures do not come back together.
 *
 * @param attempt the attempt that has just failed, from 1
 * @param random a number in [0, 1), injected by tests
 */
export function backoffMs(policy: Backoff, attempt: number, random: () => number = Math.random): number {
  const ceiling = Math.min(policy.capMs, policy.baseMs * 2 ** Math.max(0, attempt - 1));
  return Math.round(random() * ceiling);
}
