/** What is left of BullMQ's types once the engine behind is chosen. */
export interface BullEvents {
  on(event: 'error', listener: (error: Error) => void): unknown;
  waitUntilReady(): Promise<unknown>;
  /** @param force without waiting for what runs, and without a word to the server */
  close(force?: boolean): Promise<void>;
  /** Lets go of the connections without a word to the server. */
  disconnect(): Promise<void>;
}

export interface HintOptions {
  readonly priority: number;
  readonly jobId?: string;
}

export interface HintQueue extends BullEvents {
  add(name: string, data: Hint, options: HintOptions): Promise<unknown>;
  addBulk(hints: { name: string; data: Hint; opts: HintOptions }[]): Promise<unknown>;
  getJobCountByTypes(...types: ('waiting' | 'prioritized')[]): Promise<number>;
}

export interface Hint {
  readonly jobId: string;
}

export interface BullEngine {
  openQueue(): HintQueue;
  createWorker(handle: (hint: Hint) => Promise<void>, concurrency: number): BullEvents;
  /** Resolves when the queue or worker works, or will as soon as its server is there. */
  started(part: BullEvents): Promise<unknown>;
  /** False while its server is known to be away. */
  isThere(): boolean;
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
