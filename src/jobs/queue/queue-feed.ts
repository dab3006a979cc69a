import type { Clock, Timer } from '../../core/clock.js';
import { type DueLoop, startDueLoop } from '../../core/due-loop.js';
import type { Log } from '../../core/log.js';
import type { QueueStats } from './queue-stats.js';

/** Changes within so long are told as one. */
const CONFLATED_MS = 500;
/** Workers tell how busy they are every 5 s, and nobody announces that; it also finds what a lost message would have told. */
const POLL_MS = 5_000;

export interface QueueFeedOptions {
  readonly read: (tenant: string) => Promise<QueueStats>;
  readonly clock: Clock;
  readonly log: Log;
}

export interface QueueFeed {
  watch(tenant: string, signal: AbortSignal): AsyncIterable<QueueStats>;
  /** Something of the tenant's queue has changed; undefined: of any. */
  notice(tenant: string | undefined): void;
}

/** What all who watch the queue of one tenant share: one reading for all of them. */
class WatchedQueue {
  readonly #wakes = new Set<() => void>();
  readonly #loop: DueLoop;
  #latest: QueueStats | undefined;
  #told = '';
  #pending: Timer | undefined;

  constructor(
    tenant: string,
    private readonly options: QueueFeedOptions,
  ) {
    const { clock, log } = options;
    this.#loop = startDueLoop({ name: 'queue feed', work: () => this.#look(tenant), pollMs: POLL_MS, clock, log });
  }

  async #look(tenant: string): Promise<null> {
    const stats = await this.options.read(tenant);
    const seen = JSON.stringify(withoutTimes(stats));
    if (seen === this.#told) return null;
    this.#told = seen;
    this.#latest = stats;
    for (const wake of this.#wakes) wake();
    return null;
  }

  notice(): void {
    this.#pending ??= this.options.clock.after(CONFLATED_MS, () => {
      this.#pending = undefined;
      this.#loop.wake();
    });
  }

  /** The latest stats once they are others than `told`; undefined when the reader leaves before. */
  async next(told: QueueStats | undefined, signal: AbortSignal): Promise<QueueStats | undefined> {
    while (!signal.aborted) {
      if (this.#latest !== told) return this.#latest;
      await new Promise<void>((resolve) => {
        const wake = () => {
          this.#wakes.delete(wake);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        this.#wakes.add(wake);
        signal.addEventListener('abort', wake);
      });
    }
    return undefined;
  }

  stop(): void {
    this.#pending?.cancel();
    void this.#loop.stop();
  }
}

/** That a worker was seen again, and that time goes by, is no news. */
const withoutTimes = ({ at: _at, workers, ...rest }: QueueStats): object => ({
  ...rest,
  workers: workers.map(({ seenAt: _seenAt, ...worker }) => worker),
});

/** Reads nothing while nobody watches. */
export function createQueueFeed(options: QueueFeedOptions): QueueFeed {
  const open = new Map<string, { readonly watched: WatchedQueue; readers: number }>();

  async function* watch(tenant: string, signal: AbortSignal): AsyncIterable<QueueStats> {
    const shared = open.get(tenant) ?? { watched: new WatchedQueue(tenant, options), readers: 0 };
    open.set(tenant, shared);
    shared.readers += 1;
    try {
      let told: QueueStats | undefined;
      for (;;) {
        told = await shared.watched.next(told, signal);
        if (told === undefined) return;
        yield told;
      }
    } finally {
      shared.readers -= 1;
      if (shared.readers === 0) {
        open.delete(tenant);
        shared.watched.stop();
      }
    }
  }

  return {
    watch,
    notice(tenant) {
      for (const [name, { watched }] of open) if (tenant === undefined || name === tenant) watched.notice();
    },
  };
}
