import { SluiceError } from '../core/errors.js';
import type { Log } from '../core/log.js';
import { failureOf } from '../jobs/failure.js';
import type { PipelineParser } from '../jobs/spec-after.js';
import type { StagingArea } from '../jobs/staging-area.js';
import type { LoadLedger, SinkConnections } from '../jobs/stores.js';
import type { HeldJob } from './held-job.js';
import type { PoolClient } from './pool.js';

export interface DiscardDeps {
  readonly connections: SinkConnections;
  readonly ledger: LoadLedger;
  readonly staging: Pick<StagingArea, 'remove'>;
  readonly parsePipeline: PipelineParser;
  readonly log: Log;
}

// A straggler's COPY may hold the staging table until it hears that its job is held.
const DISCARD_MS = 10_000;

const inTarget = () =>
  new SluiceError(
    'STATE_NOT_ALLOWED',
    'Rows of the job are in its target already, and beginning anew would load them twice: decide RESUME or ABORT.',
  );

/**
 * Removes what an evaluation has left outside of the rows of the job: its parts, and what the sink prepared for them.
 * In another database that is committed first. Nothing is lost by that when the verdict's own transaction fails then:
 * the verdict is carried out again, and nobody else decides meanwhile.
 *
 * @throws SluiceError STATE_NOT_ALLOWED when rows are in the target that would be loaded twice
 */
export async function discardEvaluation(
  { connections, ledger, staging, parsePipeline, log }: DiscardDeps,
  client: PoolClient,
  { id, spec, prepared, isLoaded }: HeldJob,
): Promise<void> {
  if (prepared === null) return staging.remove(id);
  const { sink } = parsePipeline(spec);
  const isSystem = connections.isSystem(sink.connection);
  // What another database has committed may not be counted here yet.
  if ((isLoaded || !isSystem) && sink.keepsParts?.(prepared)) throw inTarget();
  await staging.remove(id);
  if (isSystem) return sink.discard(client, prepared);
  try {
    await connections.transaction(sink.connection, AbortSignal.timeout(DISCARD_MS), async (foreign) => {
      await sink.discard(foreign, prepared);
      await ledger.forget(foreign, id);
    });
  } catch (error) {
    log.warn({ jobId: id, reason: String(error) }, 'what a job has staged could not be removed');
    throw failureOf(error);
  }
}
