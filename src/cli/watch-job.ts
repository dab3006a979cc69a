import { backoffMs } from '../core/backoff.js';
import { type Clock, sleep } from '../core/clock.js';
import type { ApiClient } from './api-client.js';
import { ConnectionLost, unreachable } from './api-failure.js';
import { type JobEvent, WATCH } from './operations.js';

const FINAL_STATES = ['SUCCEEDED', 'FAILED', 'CANCELLED', 'DEAD'];
export const isFinalState = (state: string): boolean => FINAL_STATES.includes(state);

/** Held until an escalation is decided. */
export const AWAITING = 'AWAITING_DECISION';

export const RECONNECT_BACKOFF = { baseMs: 250, capMs: 5_000 };
// With the cap above a gateway may be away for a minute or two, as long as a restart takes.
const MOST_ATTEMPTS = 40;

export interface WatchOptions {
  readonly api: ApiClient;
  readonly clock: Clock;
  /** For the sentence when the gateway stays away. */
  readonly url: string;
  readonly jobId: string;
  /** Events after this one; null for a snapshot and what comes from now on. */
  readonly afterSeq: number | null;
  /** Ends the watch without an error. */
  readonly signal: AbortSignal;
  /** Called when the connection broke and before it is made again; `attempt` counts from 1 since the last event. */
  readonly onReconnect?: (attempt: number) => void;
}

/**
 * The events of a job until its last one, whatever happens to the connection: after a break it goes on behind the
 * last stored event, so that none is missed and none comes twice.
 *
 * @throws ClientFailure when the first connection cannot be made, the gateway stays away, or it refuses
 */
export async function* watchJob(options: WatchOptions): AsyncGenerator<JobEvent> {
  const { api, clock, jobId, signal } = options;
  let afterSeq = options.afterSeq;
  let state: string | undefined;
  /** Whether a gateway has been seen at the address: then it is worth waiting for it. */
  let wasThere = false;
  let attempts = 0;
  while (!signal.aborted) {
    try {
      for await (const { jobEvents: event } of api.subscribe(WATCH, { jobId, afterSeq }, signal)) {
        attempts = 0;
        state = event.state;
        if (isRepeated(event, afterSeq)) continue;
        afterSeq = resumePoint(event, afterSeq);
        yield event;
      }
      // A stream ends with its job. One that ends before is a gateway that is stopping.
      if (signal.aborted || (state !== undefined && isFinalState(state))) return;
    } catch (thrown) {
      if (!(thrown instanceof ConnectionLost)) throw thrown;
      wasThere ||= state !== undefined || thrown.isRestart;
      if (!wasThere) throw unreachable(options.url);
    }
    attempts += 1;
    if (attempts > MOST_ATTEMPTS) throw unreachable(options.url);
    options.onReconnect?.(attempts);
    await sleep(clock, backoffMs(RECONNECT_BACKOFF, attempts), signal);
  }
}

const isStored = (event: JobEvent) => event.kind === 'STATE' || event.kind === 'STAGE' || event.kind === 'CHUNK';

const isRepeated = (event: JobEvent, afterSeq: number | null) =>
  isStored(event) && afterSeq !== null && event.seq <= afterSeq;

/** Only stored events move the point, and the snapshot when nothing older was asked for. */
function resumePoint(event: JobEvent, afterSeq: number | null): number | null {
  if (isStored(event)) return event.seq;
  return afterSeq ?? (event.kind === 'SNAPSHOT' ? event.seq : null);
}
