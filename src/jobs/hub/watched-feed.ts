import type { JobEvent, JobSignal } from '../events.js';
import { isFinal, type Job } from '../job.js';
import { Channel } from './channel.js';
import { JobTail, snapshotOf } from './job-tail.js';
import type { Watched, WatchedDeps } from './watched.js';

const LOG_CAPACITY = 4_096;
/** Most jobs that a feed finds by itself; others are found by their signals. */
const MOST_JOBS = 500;
/** Longer than the time between two refreshes, so that a job that begins and ends in between is seen. */
const RECENT_MS = 15_000;
/** The first signals of a new job may come in any order: with one of these the whole history is told. */
const FIRST_SEQS = 8;

class WatchedFeed implements Watched {
  readonly channel: Channel;
  readonly #tails = new Map<string, JobTail>();
  /** When the newest job that is known was launched, by the database's clock. */
  #newest = 0;

  constructor(
    private readonly deps: WatchedDeps,
    private readonly tenant: string,
  ) {
    this.channel = new Channel(tenant, null, LOG_CAPACITY);
  }

  async open(): Promise<void> {
    for (const job of await this.#moving()) {
      const snapshot = snapshotOf(job, this.deps.clock.now());
      // Nothing of the job is in the log, so that all it has had counts as told.
      this.channel.admit(snapshot, job.lastSeq);
      if (!isFinal(job.state)) this.#follow(job.id, job.lastSeq, snapshot);
    }
  }

  known(): ReadonlyMap<string, number> {
    return new Map([...this.#tails].map(([jobId, tail]) => [jobId, tail.lastSeq]));
  }

  notice(signal: JobSignal): void {
    if (signal.tenant !== this.tenant) return;
    const { jobId, seq } = signal;
    const head = this.channel.heads.get(jobId);
    const since = head ? Math.min(head.lastSeq, seq) : seq <= FIRST_SEQS ? 0 : seq - 1;
    const tail = this.#tails.get(jobId) ?? this.#follow(jobId, since, head?.latest ?? null);
    tail.notice(signal);
  }

  heal(lastSeqs: ReadonlyMap<string, number>): number {
    let healed = 0;
    for (const [jobId, tail] of this.#tails) {
      if ((lastSeqs.get(jobId) ?? 0) <= tail.lastSeq) continue;
      tail.refresh().catch(this.deps.onError);
      healed += 1;
    }
    return healed;
  }

  async refresh(): Promise<void> {
    const newest = this.#newest;
    const reads: Promise<void>[] = [];
    for (const job of await this.#moving()) {
      const head = this.channel.heads.get(job.id);
      if (head && head.lastSeq >= job.lastSeq) continue;
      const since = head?.lastSeq ?? (job.createdAt.getTime() > newest ? 0 : job.lastSeq - 1);
      const tail = this.#tails.get(job.id) ?? this.#follow(job.id, since, head?.latest ?? null);
      reads.push(tail.refresh());
    }
    await Promise.all(reads);
  }

  async #moving(): Promise<readonly Job[]> {
    const jobs = await this.deps.reader.movingJobs(this.tenant, RECENT_MS, MOST_JOBS);
    this.#newest = Math.max(this.#newest, ...jobs.map((job) => job.createdAt.getTime()));
    return jobs;
  }

  #follow(jobId: string, lastSeq: number, latest: JobEvent | null): JobTail {
    const { reader, clock, onError } = this.deps;
    const deliver = (events: readonly JobEvent[]) => {
      this.channel.accept(events);
      const state = events.at(-1)?.state;
      // Followed again when a signal says that it goes on.
      if (state && isFinal(state)) this.#tails.delete(jobId);
    };
    const tail = new JobTail({ reader, clock, tenant: this.tenant, jobId, lastSeq, latest, deliver, onError });
    this.#tails.set(jobId, tail);
    return tail;
  }
}

/** Follows every job of a tenant that moves. */
export async function watchedFeed(deps: WatchedDeps, tenant: string): Promise<Watched> {
  const feed = new WatchedFeed(deps, tenant);
  await feed.open();
  return feed;
}
