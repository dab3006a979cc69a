import { SluiceError } from '../core/errors.js';
import { copyPart } from '../engine/sinks/copy-part.js';
import { LOADERS_PER_RUN } from './evaluate-job.js';
import { LEASE_MS } from './heartbeat.js';
import type { ClaimedChunk, LoadProgress } from './stores.js';
import type { PreparedAttempt, WorkerContext } from './worker-context.js';

/**
 * Loads chunks until none is left to claim, two at a time; other workers do the same.
 *
 * @param isStopping whether the process is going down: the chunks in hand are finished, and no other is begun
 * @returns whether every chunk of the job is loaded, as far as this run can tell
 * @throws SluiceError SHUTTING_DOWN with chunks left
 */
export async function loadChunks(
  context: WorkerContext,
  prepared: PreparedAttempt,
  known: LoadProgress,
  isStopping: () => boolean,
): Promise<boolean> {
  const { run } = prepared;
  let progress = known;
  // One loader that fails stops the other: the job will be tried again, or not at all.
  const failed = new AbortController();
  const signal = AbortSignal.any([run.signal, failed.signal]);

  async function loader(): Promise<void> {
    while (progress.chunksDone < progress.chunksTotal) {
      signal.throwIfAborted();
      if (isStopping()) throw new SluiceError('SHUTTING_DOWN', 'The process is stopping; the work goes on elsewhere.');
      const chunk = await context.chunks.claimNext(run.jobId, run.token, context.worker, LEASE_MS);
      if (chunk === null) return;
      const after = await loadChunk(context, prepared, chunk, signal);
      if (after.chunksDone > progress.chunksDone) progress = after;
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
  return progress.chunksDone === progress.chunksTotal;
}

/** One transaction: the rows of the part, the state of the chunk, the counters of the job. */
async function loadChunk(
  context: WorkerContext,
  { pipeline, prepared }: PreparedAttempt,
  chunk: ClaimedChunk,
  signal: AbortSignal,
): Promise<LoadProgress> {
  const { chunks, connections, ledger, quarantine } = context;
  const { sink } = pipeline;
  const { jobId, part } = chunk;
  if (part.kind === 'QUARANTINE') {
    return chunks.commitLoaded(chunk, signal, async (client) => {
      const { table, columns } = await quarantine.beginCopy(client, chunk);
      return copyPart(client, part, table, columns, signal);
    });
  }
  if (connections.isSystem(sink.connection)) {
    return chunks.commitLoaded(chunk, signal, (client) => sink.load({ client, signal }, prepared, part));
  }
  const rows = await connections.transaction(sink.connection, signal, (client) =>
    ledger.once(client, jobId, part.ordinal, () => sink.load({ client, signal }, prepared, part)),
  );
  return chunks.commitLoaded(chunk, signal, async () => rows);
}
