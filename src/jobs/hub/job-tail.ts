import type { Clock } from '../../core/clock.js';
import type { JobEvent, JobSignal } from '../events.js';
import { isFinal, type Job } from '../job.js';
import type { JobEventReader } from '../ports.js';

const PAGE = 500;

/** How a job stands, in the shape in which subscribers are told. */
export const snapshotOf = (job: Job, at: Date): JobEvent => ({
  jobId: job.id,
  jobName: job.name,
  jobKind: job.kind,
  seq: job.lastSeq,
  at,
  kind: 'SNAPSHOT',
  state: job.state,
  stage: job.stage,
  progress: job.progress,
  message: null,
  error: job.error,
});

export interface JobTailOptions {
  readonly reader: JobEventReader;
  readonly clock: Clock;
  readonly tenant: string;
  readonly jobId: string;
  /** Events up to this one are known. */
  readonly lastSeq: number;
  /** The newest event that is known, or a snapshot; null when none is. */
  readonly latest: JobEvent | null;
  /** Called with new events in order, each stored one exactly once. */
  readonly deliver: (events: readonly JobEvent[]) => void;
  /** Called when reading failed after a signal; the next signal or safety poll tries again. */
  readonly onError: (error: unknown) => void;
}

/**
 * Follows one job for everybody who watches it: a signal says that there is something to read, and one read serves
 * all. Signals that come during a read lead to one more, so that the number of reads never exceeds that of signals.
 */
export class JobTail {
  #lastSeq: number;
  #latest: JobEvent | null;
  #progress: JobSignal | undefined;
  #isStale = false;
  #reading: Promise<void> | undefined;

  constructor(private readonly options: JobTailOptions) {
    this.#lastSeq = options.lastSeq;
    this.#latest = options.latest;
  }

  get lastSeq(): number {
    return this.#lastSeq;
  }

  notice(signal: JobSignal): void {
    if (signal.stageProgress !== undefined) this.#progress = signal;
    if (signal.seq > this.#lastSeq) this.refresh().catch(this.options.onError);
    else this.#tellProgress();
  }

  /** Resolves when everything is known that was stored before the call. */
  refresh(): Promise<void> {
    this.#isStale = true;
    this.#reading ??= this.#read();
    return this.#reading;
  }

  async #read(): Promise<void> {
    try {
      while (this.#isStale) {
        this.#isStale = false;
        await this.#readAll();
      }
    } finally {
      this.#reading = undefined;
    }
    this.#tellProgress();
  }

  async #readAll(): Promise<void> {
    const { reader, tenant, jobId, deliver } = this.options;
    for (;;) {
      const events = await reader.readAfter(tenant, jobId, this.#lastSeq, PAGE);
      const newest = events.at(-1);
      if (newest) {
        this.#lastSeq = newest.seq;
        this.#latest = newest;
        deliver(events);
      }
      if (events.length < PAGE) return;
    }
  }

  /** Progress counts only on top of the event that it was measured after. */
  #tellProgress(): void {
    const { clock, deliver } = this.options;
    const signal = this.#progress;
    const latest = this.#latest;
    if (!latest || signal?.stageProgress === undefined || signal.seq > this.#lastSeq) return;
    this.#progress = undefined;
    if (signal.seq < this.#lastSeq || isFinal(latest.state)) return;
    const progress = { ...latest.progress, stageProgress: signal.stageProgress };
    deliver([{ ...latest, kind: 'PROGRESS', seq: this.#lastSeq, at: clock.now(), progress, message: null }]);
  }
}
