import { type Clock, sleep } from '../core/clock.js';
import { SluiceError, toSluiceError } from '../core/errors.js';
import type { Log } from '../core/log.js';
import { type JobEvent, type JobSignal, TOPICS } from './events.js';
import type { ChannelReader } from './hub/channel.js';
import { EventStream, type StreamCounters } from './hub/event-stream.js';
import { lazyStream } from './hub/lazy-stream.js';
import { parseSignal } from './hub/parse-signal.js';
import type { Watched, WatchedDeps } from './hub/watched.js';
import { watchedFeed } from './hub/watched-feed.js';
import { watchedJob } from './hub/watched-job.js';
import { isFinal } from './job.js';
import type { Caller, JobFilter, JobWatcher } from './job-service.js';
import type { EventBus, JobEventReader, JobFeedReader } from './ports.js';

const SAFETY_POLL_MS = 1_000;
const FLUSH_LOOK_MS = 10;
/** Feeds look for jobs that they know nothing of every so many polls. */
const POLLS_PER_REFRESH = 5;

type FeedFilter = Pick<JobFilter, 'states' | 'kinds' | 'name'>;

export interface EventHubOptions {
  readonly bus: EventBus;
  readonly reader: JobEventReader & JobFeedReader;
  readonly clock: Clock;
  readonly log: Log;
}

/** What the hub has done since it started, for /metrics. */
export interface HubStats extends Readonly<StreamCounters> {
  /** Streams that are open or opening now. */
  readonly subscribers: number;
  /** Jobs and feeds that are followed now. */
  readonly channels: number;
  /** Jobs whose signal never came, and that the safety poll found. */
  readonly healed: number;
}

export interface EventHub extends JobWatcher {
  stats(): HubStats;
  /** Resolves when every stream has been read up to what is stored now, or when that takes too long. Never rejects. */
  flush(withinMs: number): Promise<void>;
  /** Ends every stream. */
  stop(): Promise<void>;
}

/** A channel with its users; the last one to leave closes it. */
interface Slot {
  readonly opening: Promise<Watched>;
  watched: Watched | undefined;
  users: number;
  /** Signals that came while it was opening, which reads at the same time. */
  readonly early: JobSignal[];
}

class Hub implements EventHub {
  readonly #slots = new Map<string, Slot>();
  readonly #counters: StreamCounters = { conflated: 0, lagged: 0 };
  readonly #deps: WatchedDeps;
  #healed = 0;
  #polls = 0;
  #isPolling = false;
  #release: () => Promise<void> = async () => {};

  constructor(private readonly options: EventHubOptions) {
    const { reader, clock, log } = options;
    const onError = (error: unknown) => log.warn({ err: toSluiceError(error).cause ?? error }, 'events cannot be read');
    this.#deps = { reader, clock, onError };
  }

  async start(): Promise<void> {
    const { bus, clock } = this.options;
    const onSignal = (payload: unknown) => this.#onSignal(payload);
    const subscription = await bus.subscribe(TOPICS.jobs, onSignal, () => void this.#refreshAll());
    const poll = clock.every(SAFETY_POLL_MS, () => void this.#poll());
    this.#release = async () => {
      poll.cancel();
      await subscription.stop();
    };
  }

  async stop(): Promise<void> {
    await this.#release();
    for (const reader of this.#readers()) reader.end();
  }

  async flush(withinMs: number): Promise<void> {
    const { clock } = this.options;
    const end = clock.monotonicMs() + withinMs;
    const isOver = new AbortController();
    await Promise.race([this.#refreshAll(), sleep(clock, withinMs, isOver.signal)]);
    isOver.abort();
    const isRead = () => this.#readers().every((reader) => reader.isRead);
    while (!isRead() && clock.monotonicMs() < end) await sleep(clock, FLUSH_LOOK_MS);
  }

  #readers(): readonly ChannelReader[] {
    return [...this.#slots.values()].flatMap(({ watched }) => [...(watched?.channel.readers ?? [])]);
  }

  stats(): HubStats {
    let subscribers = 0;
    for (const slot of this.#slots.values()) subscribers += slot.users;
    return { ...this.#counters, healed: this.#healed, channels: this.#slots.size, subscribers };
  }

  watchJob({ tenant }: Caller, jobId: string, afterSeq: number | null): AsyncIterableIterator<JobEvent> {
    return lazyStream(() =>
      this.#using(
        `job ${tenant} ${jobId}`,
        () => watchedJob(this.#deps, tenant, jobId),
        (watched, onEnd) => this.#jobStream(watched, jobId, afterSeq, onEnd),
      ),
    );
  }

  watchFeed({ tenant }: Caller, filter: FeedFilter): AsyncIterableIterator<JobEvent> {
    return lazyStream(() =>
      this.#using(
        `feed ${tenant}`,
        () => watchedFeed(this.#deps, tenant),
        async (watched, onEnd) => this.#feedStream(watched, filter, onEnd),
      ),
    );
  }

  async #jobStream(watched: Watched, jobId: string, afterSeq: number | null, onEnd: () => void): Promise<EventStream> {
    const { channel } = watched;
    if (afterSeq !== null && afterSeq < 0)
      throw new SluiceError('INVALID_INPUT', '`afterSeq` must not be negative.', { path: ['afterSeq'] });
    const lastSeq = () => channel.heads.get(jobId)?.lastSeq ?? 0;
    // The caller may have it from another gateway, whose signal has not come here yet.
    if (afterSeq !== null && afterSeq > lastSeq()) await watched.refresh();
    if (afterSeq !== null && afterSeq > lastSeq())
      throw new SluiceError('CURSOR_INVALID', `The job has ${lastSeq()} events; \`afterSeq\` is beyond the last.`, {
        path: ['afterSeq'],
      });
    const latest = channel.heads.get(jobId)?.latest;
    const seq = afterSeq ?? lastSeq();
    return new EventStream({
      ...this.#streamDeps(watched, onEnd),
      matches: () => true,
      // Carries the reader's own position, so that going on from it leaves nothing out.
      snapshots: latest ? [{ ...latest, kind: 'SNAPSHOT', seq, at: this.options.clock.now(), message: null }] : [],
      toldSeqs: new Map([[jobId, seq]]),
      place: seq === lastSeq() ? channel.log.last : channel.log.placeAfter(jobId, seq),
    });
  }

  #feedStream(watched: Watched, { states, kinds, name }: FeedFilter, onEnd: () => void): EventStream {
    const { channel } = watched;
    const matches = (event: JobEvent) =>
      (!states || states.includes(event.state)) &&
      (!kinds || kinds.includes(event.jobKind)) &&
      (name === undefined || event.jobName === name);
    const heads = [...channel.heads.values()];
    const at = this.options.clock.now();
    return new EventStream({
      ...this.#streamDeps(watched, onEnd),
      matches,
      snapshots: heads
        .filter(({ latest }) => !isFinal(latest.state) && matches(latest))
        .map(({ latest, lastSeq }) => ({ ...latest, kind: 'SNAPSHOT', seq: lastSeq, at, message: null })),
      toldSeqs: new Map(heads.map(({ latest, lastSeq }) => [latest.jobId, lastSeq])),
      place: channel.log.last,
    });
  }

  #streamDeps({ channel }: Watched, onEnd: () => void) {
    const { reader, clock } = this.options;
    return { channel, reader, clock, counters: this.#counters, onEnd };
  }

  /** Opens the channel or shares the open one, and gives it back when the stream ends or could not be made. */
  async #using(
    key: string,
    open: () => Promise<Watched>,
    stream: (watched: Watched, onEnd: () => void) => Promise<EventStream>,
  ): Promise<EventStream> {
    const slot = this.#slots.get(key) ?? this.#openSlot(key, open);
    slot.users += 1;
    const leave = () => {
      slot.users -= 1;
      if (slot.users === 0 && this.#slots.get(key) === slot) this.#slots.delete(key);
    };
    try {
      return await stream(await slot.opening, leave);
    } catch (error) {
      leave();
      throw error;
    }
  }

  #openSlot(key: string, open: () => Promise<Watched>): Slot {
    const slot: Slot = { opening: open(), watched: undefined, users: 0, early: [] };
    this.#slots.set(key, slot);
    slot.opening.then(
      (watched) => {
        slot.watched = watched;
        for (const signal of slot.early.splice(0)) watched.notice(signal);
      },
      // Who comes next tries anew; those who wait are told by the promise itself.
      () => this.#slots.get(key) === slot && this.#slots.delete(key),
    );
    return slot;
  }

  #onSignal(payload: unknown): void {
    const signal = parseSignal(payload);
    if (!signal) return;
    for (const key of [`job ${signal.tenant} ${signal.jobId}`, `feed ${signal.tenant}`]) {
      const slot = this.#slots.get(key);
      if (slot?.watched) slot.watched.notice(signal);
      else slot?.early.push(signal);
    }
  }

  /** Finds what signals should have told: they are sent at most once, and may be lost. */
  async #poll(): Promise<void> {
    if (this.#isPolling || this.#slots.size === 0) return;
    this.#isPolling = true;
    try {
      this.#polls += 1;
      const open = [...this.#slots.values()].flatMap(({ watched }) => watched ?? []);
      const jobIds = new Set(open.flatMap((watched) => [...watched.known().keys()]));
      const lastSeqs = jobIds.size === 0 ? new Map<string, number>() : await this.#deps.reader.lastSeqs([...jobIds]);
      for (const watched of open) this.#healed += watched.heal(lastSeqs);
      if (this.#polls % POLLS_PER_REFRESH === 0)
        for (const watched of open) if (watched.channel.jobId === null) await watched.refresh();
    } catch (error) {
      this.#deps.onError(error);
    } finally {
      this.#isPolling = false;
    }
  }

  /** After a gap in the bus anything may have happened. */
  async #refreshAll(): Promise<void> {
    const open = [...this.#slots.values()].map(({ opening }) => opening);
    for (const opening of open) await opening.then((watched) => watched.refresh()).catch(this.#deps.onError);
  }
}

/** Subscribes to the bus and follows jobs for whoever watches them. Costs next to nothing while nobody does. */
export async function startEventHub(options: EventHubOptions): Promise<EventHub> {
  const hub = new Hub(options);
  await hub.start();
  return hub;
}
