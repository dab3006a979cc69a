import type { Clock } from '../../core/clock.js';
import type { Log } from '../../core/log.js';
import type { WorkerStore } from './ports.js';

/** A worker that was not seen for three beats is not counted. */
export const BEACON_MS = 5_000;

export interface WorkerBeaconOptions {
  readonly store: WorkerStore;
  readonly worker: string;
  /** Hints that the process handles at once. */
  readonly slots: number;
  /** How many it handles now. */
  readonly busy: () => number;
  readonly clock: Clock;
  readonly log: Log;
}

/** Tells every few seconds how busy this process is. Losing a beat loses nothing but the figure. */
export function startWorkerBeacon({ store, worker, slots, busy, clock, log }: WorkerBeaconOptions) {
  let beat: Promise<void> | undefined;
  const shine = () => {
    // A slow database gets no second statement on top.
    beat ??= store
      // A hint that is being let go of may still count while the next is taken.
      .seen({ id: worker, slots, busy: Math.min(slots, busy()) })
      .catch((error: unknown) => log.debug({ reason: String(error) }, 'how busy the worker is was not told'))
      .finally(() => {
        beat = undefined;
      });
  };
  shine();
  const timer = clock.every(BEACON_MS, shine);
  return {
    /** Takes the process off the list; without it, it drops off by itself. Never rejects. */
    async stop(): Promise<void> {
      timer.cancel();
      await beat;
      await store.gone(worker).catch(() => undefined);
    },
  };
}
