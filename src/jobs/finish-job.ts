import { PUBLICATION } from './load-ledger.js';
import type { LoadedRows, SinkClient } from './stores.js';
import { tellRecheck } from './tell-recheck.js';
import type { PreparedAttempt, WorkerContext } from './worker-context.js';

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
  const publish = async (client: SinkClient, loaded: LoadedRows) => {
    const recheck = await sink.publish({ client, signal: run.signal }, prepared, loaded);
    tellRecheck(log, { jobId: run.jobId }, recheck);
    const target = sink.loadOf?.(prepared) ?? null;
    if (target !== null) {
      const { id: jobId, tenant, name } = attempt.job;
      const load = { jobId, tenant, name, connection: sink.connection ?? '', target, rows: loaded.rows };
      await ledger.complete(client, load, isSystem);
    }
    return recheck;
  };
  const publishThere = async (client: SinkClient, loaded: LoadedRows) => {
    if (isSystem) return publish(client, loaded);
    // Committed there before the job is SUCCEEDED here; a crash between finds the entry and does not publish twice.
    const { recheck } = await connections.transaction(sink.connection, run.signal, (foreign) =>
      ledger.once(foreign, run.jobId, PUBLICATION, async () => ({ rows: 0, recheck: await publish(foreign, loaded) })),
    );
    return recheck;
  };
  // A file that is renamed into its place is there, whatever becomes of the transaction; and so is what was delivered.
  const isElsewhere = !isSystem || sink.staging.kind === 'FILE' || sink.deliver !== undefined;
  const finished = await chunks.finish(attempt, run.signal, publishThere, isElsewhere);
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
