import { SluiceError } from '../core/errors.js';
import type { Log } from '../core/log.js';
import { failureOf } from '../jobs/failure.js';
import type { LoadLedger } from '../jobs/load-ledger.js';
import type { PipelineParser } from '../jobs/spec-after.js';
import type { StagingArea } from '../jobs/staging-area.js';
import type { SinkConnections } from '../jobs/stores.js';
import type { LockedJob } from './locked-job.js';
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

const inTarget = (wayOut: string) =>
  new SluiceError(
    'STATE_NOT_ALLOWED',
    `Rows of the job are in its target already, and beginning anew would load them twice: ${wayOut}.`,
  );

/**
 * Removes what an evaluation has left outside of the rows of the job: its parts, and what the sink prepared for them.
 * In another database that is committed first. Nothing is lost by that when the verdict's own transaction fails then:
 * the verdict is carried out again, and nobody else decides meanwhile.
 *
 * @param wayOut what else can be done, when this cannot
 * @throws SluiceError STATE_NOT_ALLOWED when rows are in the target that would be loaded twice
 */
export async function discardEvaluation(
  { connections, ledger, staging, parsePipeline, log }: DiscardDeps,
  client: PoolClient,
  { id, spec, prepared, partEffect, isEvaluated, isLoaded }: LockedJob,
  wayOut: string,
): Promise<void> {
  if (!isEvaluated) return staging.remove(id);
  const { sink } = parsePipeline(spec);
  const isSystem = connections.isSystem(sink.connection);
  // Known from what the sink prepared, also in a job of an older version; that is gone once an ended job was cleaned up.
  const effect = prepared === null ? partEffect : (sink.effectOf?.(prepared) ?? 'STAGED');
  // What another database has committed may not be counted here yet.
  const mayBeThere = isLoaded || !isSystem;
  if (mayBeThere && effect !== 'STAGED' && effect !== 'REPEATABLE') throw inTarget(wayOut);
  await staging.remove(id);
  if (prepared === null) return;
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
