import type { JobEvent, JobEventKind, JobSignal } from '../../src/jobs/events.js';
import { isFinal, type Job, type JobState } from '../../src/jobs/job.js';
import type { EventBus, JobEventReader, JobFeedReader } from '../../src/jobs/ports.js';
import { aJob } from './stub-jobs.js';

interface Change {
  readonly kind?: JobEventKind;
  readonly state?: JobState;
  readonly rowsLoaded?: number;
}

/**
 * Jobs, their events and a bus in memory, for tests that decide what arrives when. The stores and buses of the
 * product have their own tests on real servers.
 */
export class MemoryEvents implements JobEventReader, JobFeedReader, EventBus {
  readonly #jobs = new Map<string, Job>();
  readonly #events = new Map<string, JobEvent[]>();
  readonly #listeners = new Set<{ onMessage: (payload: unknown) => void; onGap: () => void }>();
  /** Reads of events and jobs so far. */
  reads = 0;
  /** Signals are lost while this is set. */
  isDeaf = false;
  /** Reads fail while this is set. */
  isDown = false;
  /** Called before every read of events, so that something lands while it runs. */
  beforeRead: () => void | Promise<void> = () => {};

  addJob(id: string, overrides: Partial<Job> = {}): void {
    this.#jobs.set(id, aJob({ id, lastSeq: 0, ...overrides }));
    this.#events.set(id, []);
    this.happen(id, { kind: 'STATE', state: 'QUEUED' });
  }

  /** Stores an event and signals it. @returns its seq */
  happen(id: string, { kind = 'CHUNK', state, rowsLoaded }: Change = {}): number {
    const before = this.jobOf(id);
    const seq = before.lastSeq + 1;
    const progress = { ...before.progress, ...(rowsLoaded !== undefined && { rowsLoaded }) };
    const job = { ...before, state: state ?? before.state, progress, lastSeq: seq };
    this.#jobs.set(id, job);
    this.eventsOf(id).push({
      jobId: id,
      jobName: job.name,
      jobKind: job.kind,
      seq,
      at: new Date(0),
      kind,
      state: job.state,
      stage: null,
      progress,
      message: null,
      error: null,
    });
    this.signal({ jobId: id, tenant: job.tenant, seq });
    return seq;
  }

  signal(signal: JobSignal): void {
    if (!this.isDeaf) for (const { onMessage } of this.#listeners) onMessage(signal);
  }

  gap(): void {
    for (const { onGap } of this.#listeners) onGap();
  }

  eventsOf(id: string): JobEvent[] {
    return this.#events.get(id) ?? [];
  }

  jobOf(id: string): Job {
    const job = this.#jobs.get(id);
    if (!job) throw new Error(`no job ${id}`);
    return job;
  }

  /** Events up to this one are gone, as after a clean-up. */
  forgetThrough(id: string, seq: number): void {
    this.#events.set(
      id,
      this.eventsOf(id).filter((event) => event.seq > seq),
    );
  }

  async readAfter(tenant: string, jobId: string, afterSeq: number, limit: number): Promise<readonly JobEvent[]> {
    this.#count();
    await this.beforeRead();
    if (this.#jobs.get(jobId)?.tenant !== tenant) return [];
    const found = this.eventsOf(jobId).filter((event) => event.seq > afterSeq);
    return found.slice(0, limit);
  }

  async job(tenant: string, jobId: string): Promise<Job | null> {
    this.#count();
    const job = this.#jobs.get(jobId);
    return job?.tenant === tenant ? job : null;
  }

  async movingJobs(tenant: string, _changedWithinMs: number, limit: number): Promise<readonly Job[]> {
    this.#count();
    const jobs = [...this.#jobs.values()].filter((job) => job.tenant === tenant && !isFinal(job.state));
    return jobs.reverse().slice(0, limit);
  }

  async lastSeqs(jobIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
    this.#count();
    return new Map(jobIds.flatMap((id) => (this.#jobs.has(id) ? [[id, this.jobOf(id).lastSeq] as const] : [])));
  }

  async publish(): Promise<void> {}

  async subscribe(_topic: string, onMessage: (payload: unknown) => void, onGap: () => void) {
    const listener = { onMessage, onGap };
    this.#listeners.add(listener);
    return {
      stop: async () => {
        this.#listeners.delete(listener);
      },
    };
  }

  healthy = async () => true;
  close = async () => {};

  #count(): void {
    this.reads += 1;
    if (this.isDown) throw new Error('the database is down');
  }
}
