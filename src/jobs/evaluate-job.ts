import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SluiceError } from '../core/errors.js';
import type { Evaluation, EvaluationProgress } from '../engine/pipeline.js';
import { QUARANTINED_FILE, readsQuarantine } from '../engine/replay/quarantined-source.js';
import { type JobSignal, TOPICS } from './events.js';
import type { LoadProgress, PreparedSink, SinkClient } from './stores.js';
import type { BoundAttempt, WorkerContext } from './worker-context.js';

// A message a quarter of a second is what an eye can follow.
const PROGRESS_EVERY_MS = 250;
/** A load makes room within this, as a rule. */
const ROOM_AFTER_MS = 30_000;

// More than this many helpers would wait for each other's locks and fsyncs.
const MOST_HELPERS = 3;
/** Parts that one worker loads at once: two COPYs use both ends, reading and writing. */
export const LOADERS_PER_RUN = 2;

export interface EvaluatedAttempt {
  readonly prepared: PreparedSink;
  readonly progress: LoadProgress;
}

/**
 * Evaluates the source into parts and stores them: after it the job is LOADING. The evaluation begins with every check
 * that was made at launch, for files and target may have changed.
 */
export async function evaluateJob(context: WorkerContext, bound: BoundAttempt): Promise<EvaluatedAttempt> {
  const { attempts, engine, connections, staging, queue } = context;
  const { run, attempt, pipeline } = bound;
  const { sink } = pipeline;
  const withSinkClient = <T>(work: Parameters<typeof connections.withClient<T>>[1]) =>
    connections.withClient(sink.connection, work);
  await requireRoom(context);
  const seq = await attempts.enterStage(attempt, 'EVALUATING', 'The source is read and checked.');
  const stagingDir = await staging.create(run.jobId, attempt.token);
  const replayedRows = await layReplayedRows(context, bound, stagingDir);
  const evaluation = await engine.evaluate({
    pipeline,
    stagingDir,
    loadId: run.jobId,
    withSinkClient,
    signal: run.signal,
    onProgress: progressPublisher(context, { jobId: run.jobId, tenant: attempt.job.tenant, seq }),
    // A job does not fail for want of what may have to be said about its failure.
    onCompiled: (sql) =>
      attempts.keepSql(attempt, sql).catch((error: unknown) => {
        context.log.warn({ jobId: run.jobId, reason: String(error) }, 'the SQL of a job could not be kept');
      }),
  });
  run.signal.throwIfAborted();
  refuseImbalance(evaluation);
  if (replayedRows !== undefined) refuseLostRows(evaluation, replayedRows);
  const prepared = await storeParts(context, bound, evaluation);
  const helpers = Math.min(MOST_HELPERS, Math.ceil(evaluation.parts.length / LOADERS_PER_RUN) - 1);
  if (helpers > 0) {
    // Nobody depends on help.
    await queue
      .offer(run.jobId, { copies: helpers, priority: attempt.job.priority })
      .catch((error: unknown) => context.log.warn({ reason: String(error) }, 'no helpers could be invited'));
  }
  return { prepared, progress: { chunksDone: 0, chunksTotal: evaluation.parts.length } };
}

/** Parts that are loaded make room; until then it is better to wait than to fill the disk. */
async function requireRoom({ staging, stagingMaxBytes = null }: WorkerContext): Promise<void> {
  if (stagingMaxBytes === null) return;
  const bytes = await staging.bytes();
  if (bytes < stagingMaxBytes) return;
  throw new SluiceError(
    'STAGING_FULL',
    `Parts of other jobs take ${bytes} of the ${stagingMaxBytes} bytes that SLUICE_STAGING_MAX_MB allows; the job waits until some are loaded.`,
    { details: { bytes, limit: stagingMaxBytes, retryAfterMs: ROOM_AFTER_MS } },
  );
}

/** The rows that a replay has claimed, where its source reads them. @returns how many; undefined for any other job */
async function layReplayedRows(
  { quarantine }: WorkerContext,
  { attempt, pipeline }: BoundAttempt,
  stagingDir: string,
): Promise<number | undefined> {
  if (!readsQuarantine(pipeline)) return undefined;
  const workDir = join(stagingDir, 'work');
  await mkdir(workDir);
  return quarantine.layReplayed(attempt.job, join(workDir, QUARANTINED_FILE));
}

/** In another database the sink prepares first, in a transaction of its own. */
async function storeParts(context: WorkerContext, bound: BoundAttempt, evaluation: Evaluation): Promise<PreparedSink> {
  const { chunks, connections, files, log } = context;
  const { run, attempt, pipeline } = bound;
  const { sink } = pipeline;
  const prepare = (id: string) => (client: SinkClient) => sink.prepare(client, { id }, evaluation.output, files);
  const effectOf = (prepared: PreparedSink) => {
    const effect = sink.effectOf?.(prepared) ?? 'STAGED';
    // Its rows go back when it fails: none of them may be in the target then.
    if (effect === 'STAGED' || !readsQuarantine(pipeline)) return effect;
    throw new SluiceError(
      'STATE_NOT_ALLOWED',
      'A replay loads all of its rows or none: set `staged: true` in its sink.',
    );
  };
  if (connections.isSystem(sink.connection))
    return chunks.insertParts(attempt, evaluation, prepare(run.jobId), effectOf);
  // Under the attempt's own name: no fence reaches there, and one that was taken over must not empty what its successor
  // has begun to fill.
  const prepared = await connections.transaction(sink.connection, run.signal, prepare(attempt.token));
  try {
    return await chunks.insertParts(attempt, evaluation, async () => prepared, effectOf);
  } catch (error) {
    await connections
      .withClient(sink.connection, (client) => sink.discard(client, prepared))
      .catch((reason: unknown) => log.warn({ reason: String(reason) }, 'a staging table may be left over'));
    throw error;
  }
}

/** An engine that loses count must not get as far as the target. */
function refuseImbalance(evaluation: Evaluation): void {
  const { rowsRead, rowsGood, rowsFiltered, rowsDeduplicated, rowsQuarantined, rowsReshaped } = evaluation;
  const accounted = rowsGood + rowsFiltered + rowsDeduplicated + rowsQuarantined + rowsReshaped;
  if (rowsRead === accounted) return;
  throw new SluiceError('RECONCILIATION_FAILED', `${rowsRead} rows were read, and ${accounted} are accounted for.`, {
    details: { rowsRead, rowsGood, rowsFiltered, rowsDeduplicated, rowsQuarantined, rowsReshaped },
  });
}

/** Rows that are claimed and not read would count as replayed. */
function refuseLostRows({ rowsRead }: Evaluation, claimed: number): void {
  if (rowsRead === claimed) return;
  const message = `${claimed} rows are to be replayed, and ${rowsRead} were read.`;
  throw new SluiceError('RECONCILIATION_FAILED', message, { details: { rowsRead, claimed } });
}

function progressPublisher({ bus, clock }: WorkerContext, signal: JobSignal): (progress: EvaluationProgress) => void {
  let last = Number.NEGATIVE_INFINITY;
  return ({ fraction }) => {
    const now = clock.monotonicMs();
    if (now - last < PROGRESS_EVERY_MS) return;
    last = now;
    // Progress that is lost is followed by the next one.
    bus.publish(TOPICS.jobs, { ...signal, stageProgress: fraction }).catch(() => undefined);
  };
}
