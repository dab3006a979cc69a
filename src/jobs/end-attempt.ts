import type { Backoff } from '../core/backoff.js';
import { SluiceError } from '../core/errors.js';
import { TOPICS } from './events.js';
import { failureOf, isConnectionLost, jobErrorOf } from './failure.js';
import { awaitsDecision } from './hold.js';
import { isFinal } from './job.js';
import { retryDelayMs } from './retry-delay.js';
import type { Run } from './run.js';
import type { Attempt, AttemptEnd, ExpectationOutcome, Remove } from './stores.js';
import type { WorkerContext } from './worker-context.js';

const RETRY_BACKOFF: Backoff = { baseMs: 1_000, capMs: 60_000 };

/** What becomes of a job whose run ended early. */
export async function endAttempt(context: WorkerContext, run: Run, attempt: Attempt, thrown: unknown): Promise<void> {
  const { attempts, log } = context;
  const error = passing(failureOf(run.signal.aborted ? run.signal.reason : thrown));
  const facts = { jobId: run.jobId, attempt: attempt.job.attempt, code: error.code };
  if (error.code === 'LEASE_LOST') return letGo(context, run, attempt);
  if (isMissingPart(error) && attempt.token !== run.token) {
    log.warn(facts, 'parts of another worker are not here: the workers do not share a staging area');
    return attempts.releaseChunks(run.token);
  }
  if (error.code === 'SHUTTING_DOWN') return handBack(context, run, attempt);
  if (error.code === 'INTERNAL') log.error({ ...facts, stack: causeOf(error) }, 'a job failed unexpectedly');
  else log.info({ ...facts, reason: error.message }, 'an attempt failed');
  await saveReport(context, attempt, error);
  const end = endOf(attempt, error, context.random);
  // What is loaded of it is lost: there is nothing to go on with.
  const isLost = error.code === 'STAGED_ROWS_LOST' && end.transition === 'RETRY';
  if (isLost && (await attempts.beginAnew(attempt, end, removal(context, attempt)))) return;
  await close(context, run, attempt, end, error);
}

/** Ends the attempt. What the job is then, its row decides: somebody may have told it to stop meanwhile. */
async function close(
  context: WorkerContext,
  run: Run,
  attempt: Attempt,
  end: AttemptEnd,
  error?: SluiceError,
): Promise<void> {
  const { attempts, bus, queue, staging } = context;
  const state = await attempts.end(attempt, end);
  await attempts.releaseChunks(run.token);
  // It has ended already, or its rows are removed before it does: whoever removes them waits for the lease.
  if (state === null) return attempts.leave(attempt);
  // Other workers that load chunks of the job find out by their next heartbeat, or by this at once.
  await bus.publish(TOPICS.cancel, { jobId: run.jobId }).catch(() => undefined);
  if (state === 'AWAITING_DECISION') await context.onHeld?.(attempt.job.tenant).catch(() => undefined);
  if (isFinal(state)) await cleanUp(context, attempt);
  // Parts that are being loaded stay, for another attempt, a verdict or somebody who resumes the job to go on with.
  // Whether they are is not known when the connection broke as they were stored.
  else if (!run.isLoading && !(error && isConnectionLost(error))) await staging.remove(run.jobId, attempt.token);
  if (state === 'QUEUED') await queue.offer(run.jobId, { priority: attempt.job.priority });
}

const isMissingPart = (error: SluiceError) =>
  error.cause instanceof Error && 'code' in error.cause && error.cause.code === 'ENOENT';

/** The next attempt may be made where the part is. */
const passing = (error: SluiceError) =>
  isMissingPart(error) ? new SluiceError('UNAVAILABLE', error.message, { cause: error.cause }) : error;

/** The one rule of what a failure leads to. */
export function endOf({ job }: Attempt, error: SluiceError, random: () => number): AttemptEnd {
  if (error.failureClass !== 'TRANSIENT') return finalEnd(job, error, 'FAIL');
  if (job.attempt < job.maxAttempts) {
    const dueInMs = retryDelayMs(RETRY_BACKOFF, job.attempt, error, random);
    const message = `Tried again in ${dueInMs} ms: ${error.message}`;
    return { transition: 'RETRY', message, error: jobErrorOf(error), dueInMs };
  }
  const exhausted = new SluiceError('RETRIES_EXHAUSTED', `Attempt ${job.attempt} was the last one: ${error.message}`, {
    details: { ...error.details, lastCode: error.code },
  });
  return finalEnd(job, exhausted, 'DIE');
}

function finalEnd({ spec }: Attempt['job'], error: SluiceError, unasked: 'FAIL' | 'DIE'): AttemptEnd {
  const transition = awaitsDecision(error.failureClass, spec) ? 'HOLD' : unasked;
  return { transition, message: error.message, error: jobErrorOf(error) };
}

/** The job is somebody else's now, or was told to stop: its row says which. */
async function letGo(context: WorkerContext, run: Run, attempt: Attempt): Promise<void> {
  const { attempts } = context;
  await attempts.releaseChunks(run.token);
  const [pulse] = await attempts.renew([], [run.jobId], 0);
  if (pulse?.token !== attempt.token) return;
  if (pulse.stopRequested) return close(context, run, attempt, LET_GO);
  // One of its chunks was taken over, or whoever told it to stop has taken that back.
  await handBack(context, run, attempt);
}

/** Nothing failed, and no attempt is used up. Chunks that are loaded stay loaded, and others go on with the rest. */
async function handBack(context: WorkerContext, run: Run, attempt: Attempt): Promise<void> {
  const { attempts, queue } = context;
  if (!run.isLoading) return close(context, run, attempt, LET_GO);
  await attempts.releaseChunks(run.token);
  await attempts.leave(attempt);
  // Without a hint the sweeper finds it.
  await queue.offer(run.jobId, { priority: attempt.job.priority }).catch(() => undefined);
}

const LET_GO: AttemptEnd = { transition: 'RELEASE', message: 'The worker stops; another one takes over.' };

/** Removes what a job that ended without success leaves; what cannot be removed now, the sweeper removes. */
export async function cleanUp(context: WorkerContext, attempt: Attempt): Promise<void> {
  const jobId = attempt.job.id;
  try {
    await context.attempts.dispose(jobId, removal(context, attempt));
  } catch (error) {
    context.log.warn({ jobId, reason: String(error) }, 'what an ended job used is not all removed');
  }
}

/** Its parts, and what the sink has prepared. */
function removal({ connections, ledger, staging, parsePipeline }: WorkerContext, { job }: Attempt): Remove {
  return async (prepared, own) => {
    await staging.remove(job.id);
    if (prepared === null) return;
    const { sink } = parsePipeline(job.spec);
    // On the connection that has locked the job: whoever waits for both is found out by the server.
    if (connections.isSystem(sink.connection)) return sink.discard(own, prepared);
    await connections.transaction(sink.connection, AbortSignal.timeout(CLEAN_UP_MS), async (client) => {
      await sink.discard(client, prepared);
      await ledger.forget(client, job.id);
    });
  };
}

// Another worker's COPY may hold the staging table until it hears that the job has ended.
const CLEAN_UP_MS = 10_000;

/** A job stopped by its expectations still has a report; the engine leaves it in the details. */
async function saveReport({ reports }: WorkerContext, { job }: Attempt, error: SluiceError): Promise<void> {
  const report = error.details?.report;
  if (!Array.isArray(report)) return;
  // The engine is the only one that throws with `report`, and fills it with outcomes.
  await reports.save(job.tenant, job.id, report as readonly ExpectationOutcome[]);
}

function causeOf(error: SluiceError): string {
  return error.cause instanceof Error ? (error.cause.stack ?? error.cause.message) : String(error.cause ?? error.stack);
}
