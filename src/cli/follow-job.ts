import { backoffMs } from '../core/backoff.js';
import { type Clock, sleep } from '../core/clock.js';
import type { ApiClient } from './api-client.js';
import { ClientFailure, EXIT, type ExitCode } from './client-failure.js';
import { CANCEL } from './job-operations.js';
import { type JobEvent, REPORT, STATE } from './operations.js';
import type { Reporter } from './reporter.js';
import { AWAITING, isFinalState, RECONNECT_BACKOFF, watchJob } from './watch-job.js';

/** What a running command works with. */
export interface Session {
  readonly api: ApiClient;
  readonly url: string;
  readonly clock: Clock;
  readonly reporter: Reporter;
  /** Calls back on Ctrl-C until the returned function is called. */
  onInterrupt(handle: () => void): () => void;
  /** Ends the process at once; for a second Ctrl-C. */
  quit(code: ExitCode): void;
}

export interface FollowOptions {
  readonly jobId: string;
  readonly afterSeq: number | null;
  /** Ctrl-C cancels the job instead of leaving it running. */
  readonly cancelOnInterrupt: boolean;
  /** Stay while somebody has to decide about the job. */
  readonly waitForDecision: boolean;
}

/** How many quarantined rows the summary shows. */
const SHOWN_ROWS = 5;
const ANSWER_TRIES = 10;

/**
 * Watches a job to its end, or until somebody has to decide about it, and tells its result.
 *
 * @returns `ok`, `failed`, `awaiting`, or `detached` when the user left before
 */
export async function followJob(session: Session, options: FollowOptions): Promise<ExitCode> {
  const { api, clock, reporter, url } = session;
  const { jobId, afterSeq } = options;
  const leave = new AbortController();
  let interrupts = 0;
  let lastSeq = afterSeq ?? 0;
  let state = '';
  const detach = () => {
    reporter.remark(`Detached: the job goes on. Watch it again with: sluice watch ${jobId} --after-seq ${lastSeq}`);
    leave.abort();
  };
  const forget = session.onInterrupt(() => {
    interrupts += 1;
    if (interrupts > 1) return session.quit(EXIT.detached);
    if (!options.cancelOnInterrupt) return detach();
    reporter.remark('Cancelling the job; Ctrl-C again leaves at once.');
    cancelJob(api, jobId).catch((thrown: unknown) => {
      reporter.remark(`The job could not be cancelled: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
      detach();
    });
  });
  try {
    const onReconnect = (attempt: number) => {
      if (attempt === 1) reporter.remark('The connection was lost; trying to go on where it broke.');
    };
    for await (const event of watchJob({ api, clock, url, jobId, afterSeq, signal: leave.signal, onReconnect })) {
      if (event.kind !== 'SNAPSHOT' || afterSeq === null) lastSeq = Math.max(lastSeq, event.seq);
      state = event.state;
      reporter.event(event);
      if (!options.waitForDecision && (await isHeldNow(session, jobId, event))) {
        await tellResult(session, jobId);
        reporter.awaiting(jobId, lastSeq);
        return EXIT.awaiting;
      }
    }
    if (!isFinalState(state)) return EXIT.detached;
    await tellResult(session, jobId);
    return state === 'SUCCEEDED' ? EXIT.ok : EXIT.failed;
  } finally {
    forget();
    reporter.stop();
  }
}

/** An event tells how it was then: a stream from the beginning passes decisions that were made long ago. */
async function isHeldNow({ api, clock }: Session, jobId: string, event: JobEvent): Promise<boolean> {
  if (event.state !== AWAITING) return false;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const { job } = await api.request(STATE, { jobId });
      return job?.state === AWAITING;
    } catch (thrown) {
      // The event has just come from it: a gateway that restarts will be there again.
      const isAway = thrown instanceof ClientFailure && thrown.exitCode === EXIT.unreachable;
      if (!isAway || attempt === ANSWER_TRIES) throw thrown;
      await sleep(clock, backoffMs(RECONNECT_BACKOFF, attempt));
    }
  }
}

/** The end of the job is known by now: a gateway that has gone away costs the summary, not the answer. */
async function tellResult({ api, reporter }: Session, jobId: string): Promise<void> {
  try {
    const { job } = await api.request(REPORT, { jobId, rows: SHOWN_ROWS });
    if (job !== null) reporter.result(job);
  } catch (thrown) {
    if (!(thrown instanceof ClientFailure)) throw thrown;
    reporter.remark(`The report of the job is missing: ${thrown.message}`);
  }
}

async function cancelJob(api: ApiClient, jobId: string): Promise<void> {
  const { steered } = await api.request(CANCEL, { input: { id: jobId } });
  const [error] = steered.userErrors;
  if (error !== undefined) throw new Error(error.message);
}
