import { type Clock, sleep } from './core/clock.js';
import type { Log } from './core/log.js';

interface Part {
  readonly name: string;
  readonly stop: () => Promise<unknown>;
}

/** For work in hand; what is not done by then is left to others. A worker drains for 8 s. */
const DRAIN_MS = 8_500;
/** For everything. The process itself ends a little later, whatever is left. */
const STOP_MS = 9_300;

/** What was started, and how it ends: within 10 s, whatever hangs. */
export class Shutdown {
  readonly #working: Part[] = [];
  readonly #used: Part[] = [];
  #running: Promise<void> | undefined;

  constructor(private readonly clock: Clock) {}

  /** What others use: stopped after all work, the last one first, so that nothing is closed before what uses it. */
  add(name: string, stop: Part['stop']): void {
    this.#used.push({ name, stop });
  }

  /** What has work in hand. All of it ends at the same time: one after the other would take the sum of their times. */
  addWork(name: string, stop: Part['stop']): void {
    this.#working.push({ name, stop });
  }

  /**
   * Stops everything once, however often it is called. Every part is told to stop; one that fails to, or takes too
   * long, does not keep the rest running.
   */
  run(log: Log): Promise<void> {
    this.#running ??= this.#stopAll(log);
    return this.#running;
  }

  async #stopAll(log: Log): Promise<void> {
    const isOver = new AbortController();
    const drained = sleep(this.clock, DRAIN_MS, isOver.signal);
    const ended = sleep(this.clock, STOP_MS, isOver.signal);
    await Promise.all(this.#working.map((part) => stopPart(part, drained, log)));
    for (const part of this.#used.reverse()) await stopPart(part, ended, log);
    isOver.abort();
  }
}

async function stopPart({ name, stop }: Part, tooLate: Promise<void>, log: Log): Promise<void> {
  let isStopped = false;
  const stopped = Promise.resolve()
    .then(stop)
    .catch((error: unknown) => log.warn({ part: name, reason: String(error) }, 'a part did not stop cleanly'))
    .then(() => {
      isStopped = true;
    });
  await Promise.race([stopped, tooLate]);
  if (!isStopped) log.warn({ part: name }, 'a part did not stop in time');
}
