import type { JobEvent } from '../events.js';

/** An event and its place in the log; places only grow, and some are left out. */
export interface LogEntry {
  readonly index: number;
  readonly event: JobEvent;
}

/** Whether only the latest of several counts. */
export const isConflatable = ({ kind }: JobEvent): boolean => kind === 'CHUNK' || kind === 'PROGRESS';

/**
 * The recent events that all subscribers of a channel share. A subscriber keeps a place in the log instead of a
 * queue of its own, so that a slow one costs nothing: what has left the log it reads from the store.
 */
export class EventLog {
  #entries: LogEntry[] = [];
  #last = 0;
  #evictedThrough = 0;

  constructor(private readonly capacity: number) {}

  /** Place of the newest entry, 0 when there was none. */
  get last(): number {
    return this.#last;
  }

  /** Entries up to this place are gone. */
  get evictedThrough(): number {
    return this.#evictedThrough;
  }

  append(event: JobEvent): void {
    const newest = this.#entries.at(-1)?.event;
    // Unstored progress may come ten times a second: the newest of a row replaces the one before, at a new place.
    if (event.kind === 'PROGRESS' && newest?.kind === 'PROGRESS' && newest.jobId === event.jobId) this.#entries.pop();
    this.#last += 1;
    this.#entries.push({ index: this.#last, event });
    // Trimmed in bulk, since removing at the front moves everything.
    if (this.#entries.length >= 2 * this.capacity) this.#evict(this.#entries.length - this.capacity);
  }

  /** Entries after the place, oldest first. */
  after(index: number): readonly LogEntry[] {
    let start = this.#entries.length;
    // From the end, since nearly every reader is near it.
    while (start > 0 && (this.#entries[start - 1]?.index ?? 0) > index) start -= 1;
    return start === this.#entries.length ? [] : this.#entries.slice(start);
  }

  /** The place from which everything after `seq` of the job follows, or undefined when some of it has left the log. */
  placeAfter(jobId: string, seq: number): number | undefined {
    const next = this.#entries.find(({ event }) => event.jobId === jobId && event.seq === seq + 1 && isStored(event));
    return next && next.index - 1;
  }

  #evict(count: number): void {
    const gone = this.#entries.splice(0, count);
    this.#evictedThrough = gone.at(-1)?.index ?? this.#evictedThrough;
  }
}

const isStored = ({ kind }: JobEvent): boolean => kind === 'STATE' || kind === 'STAGE' || kind === 'CHUNK';
