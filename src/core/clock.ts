/** A pending timer; `cancel` may be called any number of times. */
export interface Timer {
  cancel(): void;
}

/** The one source of time and timers, injected so that tests move time instead of waiting. */
export interface Clock {
  /** Wall-clock time. Due dates are judged by the database's time, never by this. */
  now(): Date;
  /** Milliseconds that only grow, for durations. */
  monotonicMs(): number;
  after(ms: number, run: () => void): Timer;
  every(ms: number, run: () => void): Timer;
}

// setTimeout takes at most 2^31 - 1 ms; a longer wait would fire at once.
const MAX_TIMEOUT_MS = 2_147_483_647;

export const systemClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
  after(ms, run) {
    const handle = setTimeout(run, Math.min(Math.max(ms, 0), MAX_TIMEOUT_MS));
    return { cancel: () => clearTimeout(handle) };
  },
  every(ms, run) {
    const handle = setInterval(run, ms);
    return { cancel: () => clearInterval(handle) };
  },
};

/** Resolves after `ms`, or at once (without throwing) when the signal aborts. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      timer.cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = clock.after(ms, done);
    signal?.addEventListener('abort', done, { once: true });
  });
}
