import type { SinkClient } from './stores.js';
import type { PreparedAttempt, WorkerContext } from './worker-context.js';

/** Entry of the ledger that stands for the publication, beside those of the chunks. */
const PUBLICATION = -1;

/**
 * Reconciles, publishes and ends the job, in one transaction; then its parts are removed.
 * @returns false when another worker does, or did
 */
export async function finishJob(
  { attempts, chunks, connections, ledger, staging, log }: WorkerContext,
  { run, attempt, pipeline, prepared }: PreparedAttempt,
): Promise<boolean> {
  const { sink } = pipeline;
  const isSystem = connections.isSystem(sink.connection);
  await attempts.enterStage(attempt, 'FINISHING', 'Every part is loaded; the result is published.');
  const publish = async (client: SinkClient) => {
    if (isSystem) return sink.publish(client, prepared);
    // Committed there before the job is SUCCEEDED here; a crash between finds the entry and does not publish twice.
    await connections.transaction(sink.connection, run.signal, (foreign) =>
      ledger.once(foreign, run.jobId, PUBLICATION, async () => {
        await sink.publish(foreign, prepared);
        return 0;
      }),
    );
  };
  const finished = await chunks.finish(attempt, run.signal, publish, !isSystem);
  if (!finished) return false;
  try {
    await staging.remove(run.jobId);
    if (!isSystem) await connections.withClient(sink.connection, (client) => ledger.forget(client, run.jobId));
  } catch (error) {
    // The sweeper removes folders of ended jobs; ledger rows without a job do no harm.
    log.warn({ jobId: run.jobId, reason: String(error) }, 'what a finished job used is not all removed');
  }
  return true;
}
