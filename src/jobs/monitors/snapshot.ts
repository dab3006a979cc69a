import type { SuccessMetric } from './success-metrics.js';

/** How the service is at one moment, over all tenants. */
export interface Snapshot {
  readonly queued: number;
  /** How long the job has waited that has been QUEUED for longest; null when none is. */
  readonly oldestQueuedMs: number | null;
  /** RUNNING jobs without movement, and of those that nobody holds. */
  readonly stalled: number;
  /** One of them, the one that has stood still for longest. */
  readonly stalledJobId: string | null;
  readonly longestStalledMs: number | null;
  /** Slots of the workers that were seen lately. */
  readonly slots: number;
  readonly busySlots: number;
  /** Jobs in the dead-letter list. */
  readonly deadLetters: number;
  /** Those of them that died within the last `SPIKE_WINDOW_MS`. */
  readonly diedLately: number;
  readonly metrics: readonly SuccessMetric[];
}
