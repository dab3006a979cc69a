import type { JobEvent } from '../events.js';
import { isFinal } from '../job.js';
import { EventLog } from './event-log.js';

/** What a channel knows of one of its jobs. */
export interface Head {
  /** Events up to this one have been in the log or before it. */
  readonly lastSeq: number;
  /** The log began behind this event of the job. */
  readonly since: number;
  /** The newest event, or a snapshot. */
  readonly latest: JobEvent;
}

/** Who reads from a channel. */
export interface ChannelReader {
  /** Whether it has taken everything that the channel knows, and waits for more. */
  readonly isRead: boolean;
  /** Something is in the log. */
  wake(): void;
  /** The channel no longer knows the job. */
  forget(jobId: string): void;
  /** The channel is closed. */
  end(): void;
}

/** Ended jobs that a feed still knows, for readers that are behind. */
const ENDED_JOBS = 2_000;

/** What subscribers of one job, or of the feed of one tenant, share: the recent events and how each job stands. */
export class Channel {
  readonly log: EventLog;
  readonly heads = new Map<string, Head>();
  readonly readers = new Set<ChannelReader>();
  readonly #ended = new Set<string>();

  constructor(
    readonly tenant: string,
    /** The job whose end is the end of the channel's streams; null for a feed. */
    readonly jobId: string | null,
    logCapacity: number,
  ) {
    this.log = new EventLog(logCapacity);
  }

  /** Begins with a job of which nothing is in the log yet. */
  admit(snapshot: JobEvent, since: number): void {
    this.heads.set(snapshot.jobId, { lastSeq: snapshot.seq, since, latest: snapshot });
  }

  accept(events: readonly JobEvent[]): void {
    for (const event of events) {
      this.log.append(event);
      const known = this.heads.get(event.jobId);
      const lastSeq = Math.max(known?.lastSeq ?? 0, event.seq);
      const latest = known && known.latest.seq > event.seq ? known.latest : event;
      this.heads.set(event.jobId, { lastSeq, since: known?.since ?? event.seq - 1, latest });
      this.#noteEnd(event);
    }
    for (const reader of this.readers) reader.wake();
  }

  /** Whether the one job of this channel has had its last event. */
  get isOver(): boolean {
    const head = this.jobId === null ? undefined : this.heads.get(this.jobId);
    return head !== undefined && isFinal(head.latest.state);
  }

  #noteEnd({ jobId, state }: JobEvent): void {
    // Set again at the end, so that the oldest end comes first.
    this.#ended.delete(jobId);
    if (!isFinal(state)) return;
    this.#ended.add(jobId);
    const [oldest] = this.#ended;
    if (this.#ended.size <= ENDED_JOBS || oldest === undefined) return;
    this.#ended.delete(oldest);
    this.heads.delete(oldest);
    for (const reader of this.readers) reader.forget(oldest);
  }
}
