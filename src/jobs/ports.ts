import type { JobEvent, Topic } from './events.js';
import type { Job } from './job.js';

/** One page of a list, for Relay connections. */
export interface Page<T> {
  readonly items: readonly { readonly cursor: string; readonly node: T }[];
  readonly hasNextPage: boolean;
  readonly totalCount: number;
}

export interface PageRequest {
  /** 1 to 100. */
  readonly first: number;
  /** Opaque; made by an earlier page of the same list. */
  readonly after: string | null;
}

export interface OfferOptions {
  /** Higher goes first. Default 0. */
  readonly priority?: number;
  /** More than 1 invites more workers to load the chunks of the job. Default 1. */
  readonly copies?: number;
  /** Offers of a job with the same word are one for as long as the first waits or is handled. Letters, digits, `-`. */
  readonly once?: string;
}

export interface Offer extends OfferOptions {
  readonly jobId: string;
}

/** Hints that work is there. Losing every message loses nothing: the sweeper offers again what should move. */
export interface JobQueue {
  /** Offers a job to any worker. Resolves once the engine has the hint; rejects soon when the engine is away. */
  offer(jobId: string, options?: OfferOptions): Promise<void>;
  /** The same for many jobs at once, for the price of a few. */
  offerAll(offers: readonly Offer[]): Promise<void>;
  /** How many hints wait to be taken. */
  waiting(): Promise<number>;
  /** Starts taking offers; `handle` never rejects. Resolves once it listens. */
  work(concurrency: number, handle: (jobId: string) => Promise<void>): Promise<{ stop(): Promise<void> }>;
  /** Whether the engine behind answers now. */
  healthy(): Promise<boolean>;
  close(): Promise<void>;
}

/** Small JSON payloads to every process that listens; at most once, so that nothing may depend on one arriving. */
export interface EventBus {
  publish(topic: Topic, payload: object): Promise<void>;
  /** `onGap` is called after a reconnect: messages may have been missed, read the truth again. */
  subscribe(topic: Topic, onMessage: (payload: unknown) => void, onGap: () => void): Promise<{ stop(): Promise<void> }>;
  healthy(): Promise<boolean>;
  close(): Promise<void>;
}

/** How the event hub reads the truth. */
export interface JobEventReader {
  /** Stored events with seq > afterSeq in order, at most `limit`. */
  readAfter(tenant: string, jobId: string, afterSeq: number, limit: number): Promise<readonly JobEvent[]>;
  job(tenant: string, jobId: string): Promise<Job | null>;
}

/** How the event hub finds the jobs that nobody named, and notices signals that were lost. */
export interface JobFeedReader {
  /** Jobs that are not final, and those that changed within the last `changedWithinMs`; newest first, at most `limit`. */
  movingJobs(tenant: string, changedWithinMs: number, limit: number): Promise<readonly Job[]>;
  /** The last `seq` of each of these jobs, in one query; ids that do not exist are left out. */
  lastSeqs(jobIds: readonly string[]): Promise<ReadonlyMap<string, number>>;
}
