import type { JobState } from '../job.js';

/** Why nothing new is begun. */
export interface QueuePause {
  readonly since: Date;
  /** Name of the token that asked for it. */
  readonly by: string;
  readonly reason: string | null;
}

/** A process that runs jobs, of whatever tenant. */
export interface QueueWorker {
  readonly id: string;
  readonly slots: number;
  readonly busy: number;
  readonly seenAt: Date;
}

/** How the queue of a tenant stands at one moment. */
export interface QueueStats {
  readonly at: Date;
  /** Jobs by state. Of SUCCEEDED, FAILED and CANCELLED those that ended within `ENDED_WITHIN_MS`. */
  readonly counts: Readonly<Record<JobState, number>>;
  /** Since when the job waits that has been QUEUED for longest; null when none is. */
  readonly oldestQueuedAt: Date | null;
  readonly pause: QueuePause | null;
  /** Those that were seen lately. */
  readonly workers: readonly QueueWorker[];
}

/** Jobs that ended are kept for good, and counting all of them takes longer from day to day. */
export const ENDED_WITHIN_MS = 60 * 60_000;
