import type { ErrorCode } from '../../core/errors.js';
import type { MonitorMemory } from './follow-breach.js';
import type { Snapshot } from './snapshot.js';
import type { SuccessCounts } from './success-metrics.js';

export interface SuccessMetricsReader {
  /** Counts the window that ends now. @param tenant null for all of them */
  counts(tenant: string | null, windowMs: number): Promise<SuccessCounts>;
}

/** A breach that lasted, or the end of one: becomes a failure report. */
export interface MonitorReport {
  readonly kind: 'FAILED' | 'RECOVERED';
  readonly monitor: string;
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** What a look found. */
export interface Finding {
  readonly monitor: string;
  /** Null when all is well, and nothing has to be remembered. */
  readonly memory: MonitorMemory | null;
  readonly report: MonitorReport | null;
}

export interface Sight {
  readonly snapshot: Snapshot;
  readonly memory: ReadonlyMap<string, MonitorMemory>;
  /** By the database's clock. */
  readonly at: Date;
}

export interface MonitorStore {
  /**
   * Takes a snapshot and stores what `judge` finds in it, reports included, in one transaction: a crash leaves all of it
   * or nothing, and one process looks at a time.
   * @returns the findings, or null when another process is looking, or did less than `restMs` ago
   */
  look(
    windowMs: number,
    restMs: number,
    judge: (sight: Sight) => readonly Finding[],
  ): Promise<readonly Finding[] | null>;
}

export interface WorkerStore {
  /** The process is alive and has so many of its slots busy. */
  seen(worker: { readonly id: string; readonly slots: number; readonly busy: number }): Promise<void>;
  gone(id: string): Promise<void>;
}
