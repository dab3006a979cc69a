import { type Backoff, backoffMs } from '../core/backoff.js';
import type { SluiceError } from '../core/errors.js';

/** A server that asks for more is asked again after this. */
const LONGEST_RETRY_AFTER_MS = 60 * 60_000;

/** What an error carries that knows when trying again makes sense, such as a Retry-After header. */
function retryAfterMs({ details }: SluiceError): number {
  const asked = details?.retryAfterMs;
  if (typeof asked !== 'number' || Number.isNaN(asked)) return 0;
  return Math.min(Math.max(asked, 0), LONGEST_RETRY_AFTER_MS);
}

/**
 * When to try again after a failure that may pass: backoff with full jitter, on top of what the error asks for, so that
 * those who were sent away together do not come back together.
 * @param failed failures so far, from 1
 */
export const retryDelayMs = (policy: Backoff, failed: number, error: SluiceError, random: () => number): number =>
  retryAfterMs(error) + backoffMs(policy, failed, random);
