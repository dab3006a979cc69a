import { SluiceError } from '../core/errors.js';
import { readsQuarantine } from '../engine/replay/quarantined-source.js';
import { copyPart } from '../engine/sinks/copy-part.js';
import type { ClaimedChunk, LoadProgress, SinkClient } from './stores.js';
import { tellRecheck } from './tell-recheck.js';
import type { PreparedAttempt, WorkerContext } from './worker-context.js';

/**
 * Loads a chunk in one transaction: the rows of the part, the state of the chunk, the counters of the job.
 * @throws SluiceError CHUNK_TIMEOUT when it takes too long, e.g. because somebody has locked the target
 */
export async function loadChunk(
  context: WorkerContext,
  prepared: PreparedAttempt,
  chunk: ClaimedChunk,
  signal: AbortSignal,
): Promise<LoadProgress> {
  const { chunkTimeoutMs } = prepared.pipeline.options;
  const limit = new AbortController();
  const tooLong = `Part ${chunk.part.ordinal + 1} was not loaded within ${chunkTimeoutMs} ms.`;
  const timer = context.clock.after(chunkTimeoutMs, () => limit.abort(new SluiceError('CHUNK_TIMEOUT', tooLong)));
  try {
    return await load(context, prepared, chunk, AbortSignal.any([signal, limit.signal]));
  } finally {
    timer.cancel();
  }
}

async function load(
  { chunks, connections, endpoints, ledger, quarantine, log }: WorkerContext,
  { pipeline, prepared }: PreparedAttempt,
  chunk: ClaimedChunk,
  signal: AbortSignal,
): Promise<LoadProgress> {
  const { sink } = pipeline;
  const { jobId, part } = chunk;
  if (part.kind === 'QUARANTINE') {
    return chunks.commitLoaded(chunk, signal, async (client) => {
      const { table, columns } = await quarantine.beginCopy(client, chunk);
      const rows = await copyPart(client, part, table, columns, signal);
      if (readsQuarantine(pipeline)) await quarantine.tieToOrigins(client, chunk);
      return { rows, recheck: null };
    });
  }
  // Acknowledged before it is counted, and counted whatever the job was told meanwhile.
  if (sink.deliver) return chunks.countLoaded(chunk, await sink.deliver({ signal, endpoints }, prepared, part));
  const loadRows = async (client: SinkClient) => {
    const loaded = await sink.load({ client, signal }, prepared, part);
    tellRecheck(log, { jobId, part: part.ordinal }, loaded.recheck);
    return loaded;
  };
  if (connections.isSystem(sink.connection)) return chunks.commitLoaded(chunk, signal, loadRows);
  const loaded = await connections.transaction(sink.connection, signal, (client) =>
    ledger.once(client, jobId, part.ordinal, () => loadRows(client)),
  );
  return chunks.countLoaded(chunk, loaded);
}
