import type { Clock, Timer } from './clock.js';
import type { Log } from './log.js';

export interface DueLoopOptions {
  /** For the log. */
  readonly name: string;
  /** Does what is due. @returns milliseconds until the next row is due, or null when none waits */
  readonly work: () => Promise<number | null>;
  /** Looks at least this often, in case a wake-up was missed; also the wait after a failure. */
  readonly pollMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

export interface DueLoop {
  /** Something became due earlier than thought. */
  wake(): void;
  /** Resolves when the round in hand is over. */
  stop(): Promise<void>;
}

/** Waits are rows: this only looks at them when the next is due, one round at a time. */
export function startDueLoop({ name, work, pollMs, clock, log }: DueLoopOptions): DueLoop {
  let timer: Timer | undefined;
  let round: Promise<void> | undefined;
  let isWoken = false;
  let isStopped = false;
  /** Rounds in a row that failed: what is away for a minute is told once, not at every look. */
  let failures = 0;

  async function turn(): Promise<void> {
    let waitMs = pollMs;
    do {
      isWoken = false;
      try {
        waitMs = Math.min(pollMs, (await work()) ?? pollMs);
        if (failures > 0) log.info({ loop: name, failures }, 'a due loop works again');
        failures = 0;
      } catch (error) {
        waitMs = pollMs;
        failures += 1;
        const facts = { loop: name, reason: String(error) };
        if (failures === 1) log.warn(facts, 'a due loop failed and tries again');
        else log.debug(facts, 'a due loop failed again');
      }
    } while (isWoken && !isStopped);
    round = undefined;
    if (!isStopped) timer = clock.after(waitMs, go);
  }

  function go(): void {
    timer?.cancel();
    round = turn();
  }

  go();
  return {
    wake() {
      if (isStopped) return;
      if (round) isWoken = true;
      else go();
    },
    async stop() {
      isStopped = true;
      timer?.cancel();
      await round;
    },
  };
}
