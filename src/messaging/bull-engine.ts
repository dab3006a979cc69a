/** What is left of BullMQ's types once the engine behind is chosen. */
interface BullEvents {
  on(event: 'error', listener: (error: Error) => void): unknown;
  waitUntilReady(): Promise<unknown>;
  close(): Promise<void>;
}

export interface HintOptions {
  readonly priority: number;
  readonly jobId?: string;
}

export interface HintQueue extends BullEvents {
  add(name: string, data: Hint, options: HintOptions): Promise<unknown>;
  addBulk(hints: { name: string; data: Hint; opts: HintOptions }[]): Promise<unknown>;
}

export interface Hint {
  readonly jobId: string;
}

export interface BullEngine {
  openQueue(): HintQueue;
  createWorker(handle: (hint: Hint) => Promise<void>, concurrency: number): BullEvents;
  /** Rejects, or does not answer, when the server is gone. */
  ping(): Promise<unknown>;
  close(): Promise<void>;
}

export const QUEUE_NAME = 'jobs';

/** A hint is tiny and means nothing once it was taken: nothing is kept, and BullMQ never retries. */
export const HINT_DEFAULTS = { removeOnComplete: true, removeOnFail: true, attempts: 1 } as const;

/**
 * @property runRetryDelay what a worker waits after an error of its engine, instead of 15 s
 * @property drainDelay seconds that an idle worker blocks before it asks again, in case a wake-up was lost
 */
export const WORKER_DEFAULTS = {
  removeOnComplete: { count: 0 },
  removeOnFail: { count: 0 },
  runRetryDelay: 1_000,
  drainDelay: 5,
};
