import type { Clock } from '../../core/clock.js';
import type { JobSignal } from '../events.js';
import type { JobEventReader, JobFeedReader } from '../ports.js';
import type { Channel } from './channel.js';

/** A channel and what fills it: the tail of one job, or of every moving job of a tenant. */
export interface Watched {
  readonly channel: Channel;
  /** Jobs that are followed, and the last event of each that is known. */
  known(): ReadonlyMap<string, number>;
  notice(signal: JobSignal): void;
  /** Reads on where `lastSeqs` says that there is more. @returns how many jobs had more */
  heal(lastSeqs: ReadonlyMap<string, number>): number;
  /** Reads everything that may have been missed. Resolves when all that was stored before the call is known. */
  refresh(): Promise<void>;
}

export interface WatchedDeps {
  readonly reader: JobEventReader & JobFeedReader;
  readonly clock: Clock;
  /** A read after a signal failed; the safety poll tries again. */
  readonly onError: (error: unknown) => void;
}
