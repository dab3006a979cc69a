import type { Caller } from '../job-service.js';
import type { Straggler } from '../stores.js';
import type { QueueStats } from './queue-stats.js';

export interface QueueStore {
  stats(tenant: string): Promise<QueueStats>;
  /** No worker begins a job of the tenant from now on. A queue that is paused stays as it was paused first. */
  pause(tenant: string, by: string, reason: string | null): Promise<void>;
  /** @returns jobs that may be begun again by that; of a great many the sweeper offers the rest */
  resume(tenant: string): Promise<readonly Straggler[]>;
}

/** How the queue of a tenant is stopped and started, and looked at, from any gateway. */
export interface QueueService {
  stats(caller: Caller): Promise<QueueStats>;
  /**
   * Nothing new is begun; what runs goes on to its end.
   * @throws SluiceError INVALID_INPUT, UserErrors when the reason cannot be kept
   */
  pause(caller: Caller, reason: string | null): Promise<QueueStats>;
  /** @throws SluiceError INVALID_INPUT, UserErrors when the reason cannot be kept */
  resume(caller: Caller, reason: string | null): Promise<QueueStats>;
  /** How it stands now, then each time it stands otherwise, the latest only; ends when the signal aborts. */
  watch(caller: Caller, signal: AbortSignal): AsyncIterable<QueueStats>;
}
