import type { Clock, Timer } from '../../core/clock.js';
import { SluiceError } from '../../core/errors.js';
import type { JobEvent } from '../events.js';
import type { JobProgress } from '../job.js';
import type { JobEventReader } from '../ports.js';
import type { Channel, ChannelReader } from './channel.js';
import { isConflatable } from './event-log.js';
import { raisedProgress } from './raised-progress.js';

/** Progress of one job is told at most this often. */
const CONFLATE_MS = 250;
/** A reader that comes back later than this for its next event is slow: it is told when something was merged. */
const SLOW_MS = 1_000;
/** A store that cannot be read now is asked again after this. */
const RETRY_MS = 1_000;
/** Events read at once by a reader that is behind; with the log's entries all that a reader may hold. */
const PAGE = 200;

/** What the reader has been told of one job. */
interface Told {
  /** Stored events up to this one are told, or stand in `ready`. */
  seq: number;
  /** When progress was told last, on the monotonic clock. */
  flushedAt: number;
  floor?: JobProgress;
  /** The latest progress that waits for its turn. */
  pending?: JobEvent | undefined;
}

/** What happens inside the hub, for /metrics. */
export interface StreamCounters {
  /** Progress events that were merged into later ones. */
  conflated: number;
  /** LAGGED markers told. */
  lagged: number;
}

export interface EventStreamOptions {
  readonly channel: Channel;
  readonly reader: JobEventReader;
  readonly clock: Clock;
  readonly counters: StreamCounters;
  readonly matches: (event: JobEvent) => boolean;
  /** Told first. */
  readonly snapshots: readonly JobEvent[];
  /** What counts as told of each job. */
  readonly toldSeqs: ReadonlyMap<string, number>;
  /** Where to begin in the log; undefined when older events must be read from the store first. */
  readonly place: number | undefined;
  /** Called once, when the stream has ended for whatever reason. */
  readonly onEnd: () => void;
}

interface Waiting {
  resolve(result: IteratorResult<JobEvent, undefined>): void;
  reject(error: unknown): void;
}

const DONE: IteratorResult<JobEvent, undefined> = { done: true, value: undefined };
/** Before every place of a log. */
const BEHIND = -1;

/**
 * One subscriber. It holds a place in the channel's log and what it has told of each job, no queue: what leaves the log
 * before it comes back is read from the store, page by page.
 */
export class EventStream implements ChannelReader {
  readonly #told = new Map<string, Told>();
  readonly #pendingJobs = new Set<string>();
  #ready: JobEvent[];
  #place: number;
  /** Jobs to read from the store, and the place in the log that this reading covers. */
  #behind: { readonly through: number; readonly jobIds: string[] } | undefined;
  #isReading = false;
  #isClosed = false;
  #waiting: Waiting | undefined;
  #timer: Timer | undefined;
  #handedAt: number;

  constructor(private readonly options: EventStreamOptions) {
    this.#ready = [...options.snapshots];
    this.#place = options.place ?? BEHIND;
    this.#handedAt = options.clock.monotonicMs();
    for (const [jobId, seq] of options.toldSeqs) this.#told.set(jobId, { seq, flushedAt: Number.NEGATIVE_INFINITY });
    options.channel.readers.add(this);
  }

  next(): Promise<IteratorResult<JobEvent, undefined>> {
    if (this.#isClosed) return Promise.resolve(DONE);
    const isSlow = this.options.clock.monotonicMs() - this.#handedAt > SLOW_MS;
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#advance(isSlow);
    });
  }

  readonly wake = (): void => this.#advance(false);

  forget(jobId: string): void {
    this.#told.delete(jobId);
    this.#pendingJobs.delete(jobId);
  }

  end(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#timer?.cancel();
    this.options.channel.readers.delete(this);
    this.#ready = [];
    this.#told.clear();
    this.#waiting?.resolve(DONE);
    this.#waiting = undefined;
    this.options.onEnd();
  }

  /** Hands the next event to a waiting reader, or arranges to be called again when there may be one. */
  #advance(isSlow: boolean): void {
    const waiting = this.#waiting;
    if (!waiting || this.#isClosed) return;
    this.#timer?.cancel();
    if (this.#ready.length === 0) this.#look(isSlow);
    const event = this.#ready.shift();
    if (event) {
      this.#waiting = undefined;
      this.#handedAt = this.options.clock.monotonicMs();
      waiting.resolve({ done: false, value: this.#raised(event) });
    } else if (this.#isBehind) void this.#catchUp();
    else if (this.#isOver) this.end();
    else this.#wakeWhenDue();
  }

  get isRead(): boolean {
    return this.#waiting !== undefined && !this.#isBehind && !this.#isReading;
  }

  get #isBehind(): boolean {
    const { evictedThrough } = this.options.channel.log;
    return this.#behind !== undefined || this.#place < evictedThrough || this.#place === BEHIND;
  }

  get #isOver(): boolean {
    const { jobId, heads, isOver } = this.options.channel;
    if (!isOver || jobId === null) return false;
    return (this.#told.get(jobId)?.seq ?? 0) >= (heads.get(jobId)?.lastSeq ?? 0);
  }

  /** Looks through the log up to the next state change, and takes the progress that is due. */
  #look(isSlow: boolean): void {
    if (this.#isBehind) return;
    const merged = this.#scan();
    this.options.counters.conflated += merged.count;
    if (this.#ready.length === 0) this.#flushDue();
    if (isSlow && merged.latest) this.#ready.unshift(this.#lagged(merged.latest, merged.count));
  }

  #scan(): { count: number; latest: JobEvent | undefined } {
    let count = 0;
    let latest: JobEvent | undefined;
    for (const { index, event } of this.options.channel.log.after(this.#place)) {
      this.#place = index;
      if (!this.options.matches(event)) continue;
      const told = this.#toldOf(event);
      if (event.kind === 'PROGRESS' ? event.seq < told.seq : event.seq <= told.seq) continue;
      if (!isConflatable(event)) {
        this.#enqueuePending(event.jobId, told);
        this.#enqueue(told, event);
        break;
      }
      if (told.pending) {
        count += 1;
        // Carries the position before it: what follows may still get lost on its way.
        latest = { ...event, seq: told.seq };
      }
      told.pending = event;
      this.#pendingJobs.add(event.jobId);
    }
    return { count, latest };
  }

  #flushDue(): void {
    const now = this.options.clock.monotonicMs();
    for (const jobId of this.#pendingJobs) {
      const told = this.#told.get(jobId);
      if (!told || told.flushedAt + CONFLATE_MS > now) continue;
      this.#enqueuePending(jobId, told);
      break;
    }
  }

  #wakeWhenDue(): void {
    let due = Number.POSITIVE_INFINITY;
    for (const jobId of this.#pendingJobs) due = Math.min(due, this.#told.get(jobId)?.flushedAt ?? due);
    if (due === Number.POSITIVE_INFINITY) return;
    const { clock } = this.options;
    this.#timer = clock.after(due + CONFLATE_MS - clock.monotonicMs(), () => this.#advance(false));
  }

  #enqueuePending(jobId: string, told: Told): void {
    if (told.pending) {
      this.#enqueue(told, told.pending);
      told.flushedAt = this.options.clock.monotonicMs();
    }
    told.pending = undefined;
    this.#pendingJobs.delete(jobId);
  }

  #enqueue(told: Told, event: JobEvent): void {
    told.seq = Math.max(told.seq, event.seq);
    this.#ready.push(event);
  }

  /** Reads one page of what has left the log. */
  async #catchUp(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    try {
      this.#behind ??= this.#startCatchingUp();
      const [jobId] = this.#behind.jobIds;
      if (jobId !== undefined) await this.#readPage(jobId, this.#behind.jobIds);
      if (this.#behind?.jobIds.length === 0) {
        this.#place = this.#behind.through;
        this.#behind = undefined;
      }
    } catch (error) {
      // What the reader has to know is told in our words. Anything else is the store, which is away for a while.
      if (error instanceof SluiceError) return this.#fail(error);
      this.#timer?.cancel();
      this.#timer = this.options.clock.after(RETRY_MS, () => this.#advance(false));
      return;
    } finally {
      this.#isReading = false;
    }
    this.#advance(false);
  }

  #fail(error: SluiceError): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    this.end();
    waiting?.reject(error);
  }

  /** Everything that left the log until now is stored, so that reading after this covers it. */
  #startCatchingUp() {
    const { channel, matches } = this.options;
    const isFirst = this.#place === BEHIND;
    const jobIds: string[] = [];
    for (const [jobId, { latest, lastSeq }] of channel.heads) {
      if (channel.jobId === null && !matches(latest) && !this.#told.has(jobId)) continue;
      const told = this.#toldOf(latest);
      told.pending = undefined;
      this.#pendingJobs.delete(jobId);
      if (told.seq >= lastSeq) continue;
      if (!isFirst && jobIds.length === 0) this.#ready.push(this.#lagged({ ...latest, seq: told.seq }, null));
      jobIds.push(jobId);
    }
    return { through: channel.log.evictedThrough, jobIds };
  }

  async #readPage(jobId: string, jobIds: string[]): Promise<void> {
    const { channel, reader, matches } = this.options;
    const told = this.#told.get(jobId);
    const page = told ? await reader.readAfter(channel.tenant, jobId, told.seq, PAGE) : [];
    if (this.#isClosed || !told) return void jobIds.shift();
    if (page[0]?.seq !== told.seq + 1 && channel.jobId !== null)
      throw new SluiceError('CURSOR_EXPIRED', `Events after ${told.seq} are gone.`, { path: ['afterSeq'] });
    if (page.length < PAGE) jobIds.shift();
    const kept = page.filter((event, i) => {
      const next = page[i + 1];
      return !isConflatable(event) || next === undefined || !isConflatable(next);
    });
    this.options.counters.conflated += page.length - kept.length;
    for (const event of kept) if (matches(event)) this.#enqueue(told, event);
    told.seq = Math.max(told.seq, page.at(-1)?.seq ?? 0);
  }

  #toldOf({ jobId }: JobEvent): Told {
    const known = this.#told.get(jobId);
    if (known) return known;
    const seq = this.options.channel.heads.get(jobId)?.since ?? 0;
    const told: Told = { seq, flushedAt: Number.NEGATIVE_INFINITY };
    this.#told.set(jobId, told);
    return told;
  }

  #lagged(latest: JobEvent, merged: number | null): JobEvent {
    this.options.counters.lagged += 1;
    const what = merged === null ? 'Progress events were merged' : `${merged} progress events were merged`;
    const message = `${what} because they were read slowly; no state change is missing.`;
    return { ...latest, kind: 'LAGGED', at: this.options.clock.now(), message, error: null };
  }

  #raised(event: JobEvent): JobEvent {
    const told = this.#told.get(event.jobId);
    // Rows of a cancelled job may have been removed.
    const progress = event.state === 'CANCELLED' ? event.progress : raisedProgress(told?.floor, event.progress);
    if (told) told.floor = progress;
    return { ...event, progress };
  }
}
