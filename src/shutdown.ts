import { type Clock, sleep } from './core/clock.js';
import type { Log } from './core/log.js';

/** Ends a part. @param leftMs how long it may take; what is not done by then is not waited for */
type Stop = (leftMs: number) => Promise<unknown>;

interface Part {
  readonly name: string;
  readonly stop: Stop;
}

/** With it everything is over within 10 s. */
const DEFAULT_GRACE_MS = 7_000;
/** For work that was cut off after the grace to be handed back. */
const HAND_BACK_MS = 800;
/** For clients to be told, at least; they have what the work leaves of the grace besides. */
const EDGE_MS = 1_000;
const CLOSE_MS = 500;
/** What was started, and how it ends: in time, whatever hangs. */
export class Shutdown {
  readonly #told: (() => void)[] = [];
  readonly #working: Part[] = [];
  readonly #edge: Part[] = [];
  readonly #used: Part[] = [];
  #running: Promise<void> | undefined;

  /** @param graceMs what work in hand may take before it is cut off and left to others */
  constructor(
    private readonly clock: Clock,
    private readonly graceMs = DEFAULT_GRACE_MS,
  ) {}

  /** What others use: stopped after all work, the last one first, so that nothing is closed before what uses it. */
  add(name: string, stop: Stop): void {
    this.#used.push({ name, stop });
  }

  /** What has work in hand. All of it ends at the same time: one after the other would take the sum of their times. */
  addWork(name: string, stop: Stop): void {
    this.#working.push({ name, stop });
  }

  /**
   * What clients are connected to: it tells them what becomes of the work, and so ends after it.
   * @param tell called at once, so that nobody new is sent here
   */
  addEdge(name: string, stop: Stop, tell: () => void): void {
    this.#edge.push({ name, stop });
    this.#told.push(tell);
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
    const begun = this.clock.monotonicMs();
    const isOver = new AbortController();
    const until = (ms: number) => ({ ms: begun + ms, passed: sleep(this.clock, ms, isOver.signal) });
    const drained = until(this.graceMs + HAND_BACK_MS);
    const told = until(this.graceMs + HAND_BACK_MS + EDGE_MS);
    const ended = until(this.graceMs + HAND_BACK_MS + EDGE_MS + CLOSE_MS);
    const stop = async ({ name, stop }: Part, limit: typeof ended): Promise<void> => {
      let isStopped = false;
      const stopped = Promise.resolve()
        .then(() => stop(Math.max(0, limit.ms - this.clock.monotonicMs())))
        .catch((error: unknown) => log.warn({ part: name, reason: String(error) }, 'a part did not stop cleanly'))
        .then(() => {
          isStopped = true;
        });
      await Promise.race([stopped, limit.passed]);
      if (!isStopped) log.warn({ part: name }, 'a part did not stop in time');
    };
    for (const tell of this.#told) tell();
    await Promise.all(this.#working.map((part) => stop(part, drained)));
    await Promise.all(this.#edge.map((part) => stop(part, told)));
    for (const part of this.#used.reverse()) await stop(part, ended);
    isOver.abort();
  }
}
