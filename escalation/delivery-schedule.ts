import { backoffMs } from '../src/core/backoff.js';

/** While another channel is left: after at most some two minutes the agent is reached by that one instead. */
const TRIES_BEFORE_ANOTHER = 8;
/** On the last channel: through an outage of 2.5 hours for sure, five at most, before the notification is dead. */
const TRIES_ON_THE_LAST = 40;
/** An address that wants to be left alone for longer is passed over for another channel: policies wait half an hour. */
const LONGEST_PAUSE_BEFORE_ANOTHER_MS = 5 * 60_000;

/** Half of the wait is fixed, so that the tries last as long as promised, and half is full jitter. */
const HALF = { baseMs: 500, capMs: 5 * 60_000 };

export interface FailedTry {
  /** Tries on this channel so far, with the one that has just failed. */
  readonly attempt: number;
  /** Whether another channel could be taken instead. */
  readonly hasAnother: boolean;
  /** What the other side asked for. */
  readonly afterMs: number | null;
  /** A number in [0, 1). */
  readonly random: () => number;
}

/** @returns milliseconds until the channel is tried again, or null when it has been tried often enough */
export function nextTryMs({ attempt, hasAnother, afterMs, random }: FailedTry): number | null {
  if (attempt >= (hasAnother ? TRIES_BEFORE_ANOTHER : TRIES_ON_THE_LAST)) return null;
  if (hasAnother && afterMs !== null && afterMs > LONGEST_PAUSE_BEFORE_ANOTHER_MS) return null;
  const waitMs = backoffMs(HALF, attempt, () => 1) + backoffMs(HALF, attempt, random);
  return Math.max(waitMs, afterMs ?? 0);
}
