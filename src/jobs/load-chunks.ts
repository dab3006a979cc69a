import type { Backoff } from '../core/backoff.js';
import type { SluiceError } from '../core/errors.js';
import { LOADERS_PER_RUN } from './evaluate-job.js';
import { failureOf, shuttingDown } from './failure.js';
import { LEASE_MS } from './heartbeat.js';
import { loadChunk } from './load-chunk.js';
import { retryDelayMs } from './retry-delay.js';
import type { ClaimedChunk, LoadProgress } from './stores.js';
import type { PreparedAttempt, WorkerContext } from './worker-context.js';

/** Loads of one chunk that may fail in an attempt of the job, and loads in a row of a run: then it is up to the job. */
const CHUNK_TRIES = 3;
const CHUNK_BACKOFF: Backoff = { baseMs: 500, capMs: 15_000 };
/** A wait that is longer than this is not worth a job that counts as running. */
const LONGEST_WAIT_MS = 30_000;

/**
 * Loads chunks until none is left to claim, two at a time; other workers do the same. A chunk that fails for a reason
 * that may pass is put back, to be tried again when it is due, by whoever comes then.
 *
 * @param isStopping whether the process is going down: the chunks in hand are finished, and no other is begun
 * @returns whether every chunk of the job is loaded, as far as this run can tell
 * @throws SluiceError SHUTTING_DOWN with chunks left; what a chunk failed with, when it was its last try
 */
export async function loadChunks(
  context: WorkerContext,
  prepared: PreparedAttempt,
  known: LoadProgress,
  isStopping: () => boolean,
): Promise<boolean> {
  const { run } = prepared;
  let progress = known;
  let failuresInARow = 0;
  // One loader that gives up stops the other: the job will be tried again, or not at all.
  const failed = new AbortController();
  const signal = AbortSignal.any([run.signal, failed.signal]);

  async function load(chunk: ClaimedChunk): Promise<void> {
    try {
      const after = await loadChunk(context, prepared, chunk, signal);
      failuresInARow = 0;
      if (after.chunksDone > progress.chunksDone) progress = after;
    } catch (thrown) {
      signal.throwIfAborted();
      failuresInARow += 1;
      await putBack(context, chunk, failureOf(thrown), failuresInARow);
    }
  }

  async function loader(): Promise<void> {
    while (progress.chunksDone < progress.chunksTotal) {
      signal.throwIfAborted();
      // Not thrown here: the part that the other loader has in hand is to be finished.
      if (isStopping()) return;
      const chunk = await context.chunks.claimNext(run.jobId, run.token, context.worker, LEASE_MS);
      if (chunk === null) return;
      await load(chunk);
    }
  }

  const loaders = Math.min(LOADERS_PER_RUN, known.chunksTotal - known.chunksDone);
  const results = await Promise.allSettled(
    Array.from({ length: loaders }, () =>
      loader().catch((error: unknown) => {
        failed.abort(error);
        throw error;
      }),
    ),
  );
  const failure = results.find((result) => result.status === 'rejected');
  if (failure) throw failed.signal.reason;
  if (isStopping() && progress.chunksDone < progress.chunksTotal) throw shuttingDown();
  return progress.chunksDone === progress.chunksTotal;
}

/** @throws what the chunk failed with, when trying it again by itself makes no sense */
async function putBack(
  { chunks, log, random }: WorkerContext,
  chunk: ClaimedChunk,
  error: SluiceError,
  failuresInARow: number,
): Promise<void> {
  const failures = chunk.failures + 1;
  const isOver = failures >= CHUNK_TRIES || failuresInARow >= CHUNK_TRIES;
  // A chunk whose lease is lost is somebody else's.
  if (error.failureClass !== 'TRANSIENT' || error.code === 'LEASE_LOST' || isOver) throw error;
  const dueInMs = retryDelayMs(CHUNK_BACKOFF, failures, error, random);
  if (dueInMs > LONGEST_WAIT_MS) throw error;
  log.info({ jobId: chunk.jobId, chunk: chunk.part.ordinal, dueInMs, reason: error.message }, 'a part failed');
  await chunks.retryLater(chunk, dueInMs, error.message);
}
