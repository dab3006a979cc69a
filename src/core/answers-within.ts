import type { Clock } from './clock.js';

/** Longest that a health check waits for one server; whoever asks several of them waits a little longer. */
export const HEALTH_TIMEOUT_MS = 1_500;

/** False when the answer does not come in time, or is an error: what a health check wants to know. */
export async function answersWithin(clock: Clock, ms: number, question: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = clock.after(ms, () => resolve(false));
    question
      .then(
        () => resolve(true),
        () => resolve(false),
      )
      .finally(() => timer.cancel());
  });
}
