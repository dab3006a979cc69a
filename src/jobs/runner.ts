import { SluiceError } from '../core/errors.js';
import { endAttempt } from './end-attempt.js';
import { type EvaluatedAttempt, evaluateJob } from './evaluate-job.js';
import { TOPICS } from './events.js';
import { shuttingDown } from './failure.js';
import { finishJob } from './finish-job.js';
import { createHeartbeat, LEASE_MS } from './heartbeat.js';
import { loadChunks } from './load-chunks.js';
import type { OfferOptions } from './ports.js';
import { createRun, type Run } from './run.js';
import type { Attempt } from './stores.js';
import { toldJobId } from './told-job-id.js';
import type { WorkerContext } from './worker-context.js';

/** How long chunks in hand may take when the process stops, unless it is told otherwise. */
const STOP_GRACE_MS = 7_000;
// A hint that came while this process already had the job is for another one, or for later.
const HINT_AGAIN_MS = 500;

export interface Runner {
  /** Hints that are handled now. */
  busy(): number;
  stop(): Promise<void>;
}

/** What an earlier run has evaluated already. */
function evaluated({ job, prepared }: Attempt): EvaluatedAttempt | undefined {
  const { chunksDone, chunksTotal } = job.progress;
  return prepared && chunksTotal !== null ? { prepared, progress: { chunksDone, chunksTotal } } : undefined;
}

/**
 * @param concurrency hints handled at once
 * @param graceMs for parts in hand to be committed when it stops; an evaluation is given back at once
 */
export async function startRunner(
  context: WorkerContext,
  concurrency: number,
  graceMs = STOP_GRACE_MS,
): Promise<Runner> {
  const { attempts, bus, queue, clock, log } = context;
  const runs = new Set<Run>();
  const handling = new Set<Promise<void>>();
  const heartbeat = createHeartbeat(attempts, runs, clock, log);
  let isStopping = false;

  /** The way of a job, from a hint to its end or to letting go of it. */
  async function work(run: Run): Promise<void> {
    const attempt =
      (await attempts.claim(run.jobId, run.token, context.worker, LEASE_MS)) ?? (await attempts.join(run.jobId));
    if (attempt === null) return;
    const timeout = hold(run, attempt);
    try {
      const pipeline = context.parsePipeline(attempt.job.spec);
      const bound = { run, attempt, pipeline };
      const { prepared, progress } = evaluated(attempt) ?? (await evaluateJob(context, bound));
      run.isLoading = true;
      const isLoaded = await loadChunks(context, { ...bound, prepared }, progress, () => isStopping);
      if (isLoaded) {
        await finishJob(context, { ...bound, prepared });
        return;
      }
      // Others have the rest, or it waits to be tried again, or there is none to be had since the job is to stop: then this
      // run may be the last one on it.
      await heartbeat.look(run.jobId);
      run.signal.throwIfAborted();
      await attempts.leave(attempt);
    } catch (error) {
      await endAttempt(context, run, attempt, error);
    } finally {
      timeout?.cancel();
    }
  }

  function hold(run: Run, attempt: Attempt) {
    run.attempt = attempt;
    run.isLoading = attempt.prepared !== null;
    if (run.isDoubted) void heartbeat.look(run.jobId);
    if (attempt.timeLeftMs === null) return undefined;
    const tooLong = new SluiceError('JOB_TIMEOUT', 'The job ran longer than its timeout.');
    return clock.after(attempt.timeLeftMs, () => run.stop(tooLong));
  }

  async function handle(jobId: string): Promise<void> {
    // Under no word of its own: the hint in hand may have the same one, and would take the place of the new.
    if (isStopping) return offerAgain(jobId, {});
    if ([...runs].some((run) => run.jobId === jobId)) {
      clock.after(HINT_AGAIN_MS, () => void offerAgain(jobId));
      return;
    }
    const run = createRun(jobId);
    runs.add(run);
    try {
      await work(run);
    } catch (error) {
      // The row tells the sweeper that nobody is on it; nothing else in this process is disturbed.
      log.warn({ jobId, reason: String(error) }, 'a job was let go of');
    } finally {
      runs.delete(run);
    }
  }

  const offerAgain = (jobId: string, options: OfferOptions = { once: 'again' }) =>
    queue.offer(jobId, options).catch((error: unknown) => log.debug({ jobId, reason: String(error) }, 'not offered'));

  const listening = await bus.subscribe(
    TOPICS.cancel,
    (payload) => {
      const jobId = toldJobId(payload);
      if (jobId !== undefined) void heartbeat.look(jobId);
    },
    // A missed message is noticed by the next heartbeat.
    () => undefined,
  );
  const working = await queue.work(concurrency, (jobId) => {
    const handled = handle(jobId);
    handling.add(handled);
    return handled.finally(() => handling.delete(handled));
  });

  return {
    busy: () => runs.size,
    async stop() {
      isStopping = true;
      for (const run of runs) if (!run.isLoading) run.stop(shuttingDown());
      const drained = clock.after(graceMs, () => {
        for (const run of runs) run.stop(shuttingDown());
      });
      await Promise.all([working.stop(), ...handling]);
      drained.cancel();
      heartbeat.stop();
      await listening.stop();
    },
  };
}
