import type { Clock } from '../../src/core/clock.js';

/** Time that stands still until a test moves it; timers run as it passes them. */
export class ManualClock implements Clock {
  #ms = 0;
  #timers: { at: number; everyMs: number | null; run: () => void }[] = [];

  now(): Date {
    return new Date(1_800_000_000_000 + this.#ms);
  }

  monotonicMs(): number {
    return this.#ms;
  }

  after(ms: number, run: () => void) {
    return this.#add({ at: this.#ms + Math.max(0, ms), everyMs: null, run });
  }

  every(ms: number, run: () => void) {
    return this.#add({ at: this.#ms + ms, everyMs: ms, run });
  }

  /** Timers that would still run. */
  get pending(): number {
    return this.#timers.length;
  }

  /** Moves time, running what becomes due in order, and lets promises settle in between. */
  async pass(ms: number): Promise<void> {
    const end = this.#ms + ms;
    for (;;) {
      const [next] = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (!next) break;
      this.#ms = Math.max(this.#ms, next.at);
      if (next.everyMs === null) this.#timers = this.#timers.filter((timer) => timer !== next);
      else next.at += next.everyMs;
      next.run();
      await settled();
    }
    this.#ms = end;
    await settled();
  }

  #add(timer: { at: number; everyMs: number | null; run: () => void }) {
    this.#timers.push(timer);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
      },
    };
  }
}

/** After every promise that can settle without the outside world has settled. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
