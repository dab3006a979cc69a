import { type Backoff, backoffMs } from '../core/backoff.js';
import { SluiceError } from '../core/errors.js';
import { TOPICS } from './events.js';
import { failureOf, jobErrorOf } from './failure.js';
import { awaitsDecision } from './hold.js';
import type { Run } from './run.js';
import type { Attempt, AttemptEnd, ExpectationOutcome } from './stores.js';
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

  const end = endOf(attempt, error, context.random);
  await saveReport(context, attempt, error);
  const ended = await attempts.end(attempt, end);
  await attempts.releaseChunks(run.token);
  if (!ended) return;
  await tellOthers(context, run.jobId);
  if (end.transition === 'HOLD') await context.onHeld?.(attempt.job.tenant).catch(() => undefined);
  if (end.transition !== 'RETRY' && end.transition !== 'HOLD') await cleanUp(context, attempt);
  // Parts that are being loaded stay, for another attempt or a verdict to go on with.
  else if (!run.isLoading) await context.staging.remove(run.jobId, attempt.token);
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
    const dueInMs = backoffMs(RETRY_BACKOFF, job.attempt, random);
    const message = `Tried again in ${dueInMs} ms: ${error.message}`;
    return { transition: 'RETRY', message, error: jobErrorOf(error), dueInMs };
  }
  const exhausted = new SluiceError('RETRIES_EXHAUSTED', `Attempt ${job.attempt} was the last one: ${error.message}`, {
    details: { ...error.details, lastCode: error.code },
  });
  return finalEnd(job, exhausted, 'DIE');
}

/** What trying again cannot mend: somebody is asked, unless the failure or the job says that nobody is. */
function finalEnd({ spec }: Attempt['job'], error: SluiceError, unasked: 'FAIL' | 'DIE'): AttemptEnd {
  const transition = awaitsDecision(error.failureClass, spec) ? 'HOLD' : unasked;
  return { transition, message: error.message, error: jobErrorOf(error) };
}

/** The job is somebody else's now, or was told to stop: its row says which. */
async function letGo(context: WorkerContext, run: Run, attempt: Attempt): Promise<void> {
  const { attempts } = context;
  await attempts.releaseChunks(run.token);
  const [pulse] = await attempts.renew([], [run.jobId], 0);
  if (!pulse?.cancelRequested || pulse.token !== attempt.token) return;
  const cancelled = await attempts.end(attempt, { transition: 'CANCEL', message: 'The job was cancelled.' });
  if (!cancelled) return;
  await tellOthers(context, run.jobId);
  await cleanUp(context, attempt);
}

/** The process stops: nothing failed, and no attempt is used up. Chunks that are loaded stay loaded. */
async function handBack({ attempts, queue, staging }: WorkerContext, run: Run, attempt: Attempt): Promise<void> {
  await attempts.releaseChunks(run.token);
  if (!run.isLoading) {
    await attempts.end(attempt, { transition: 'RELEASE', message: 'The worker stops; another one takes over.' });
    await staging.remove(run.jobId, attempt.token);
  }
  await queue.offer(run.jobId, { priority: attempt.job.priority });
}

/** Other workers that load chunks of the job find out by their next heartbeat, or by this at once. */
async function tellOthers({ bus }: WorkerContext, jobId: string): Promise<void> {
  await bus.publish(TOPICS.cancel, { jobId }).catch(() => undefined);
}

/** Removes what a job that ended without success leaves; what cannot be removed now, the sweeper removes. */
export async function cleanUp(
  { attempts, connections, ledger, staging, parsePipeline, log }: WorkerContext,
  { job, prepared }: Attempt,
): Promise<void> {
  try {
    await staging.remove(job.id);
    const current = prepared ?? (await attempts.prepared(job.id));
    if (current === null) return;
    const { sink } = parsePipeline(job.spec);
    await connections.transaction(sink.connection, AbortSignal.timeout(CLEAN_UP_MS), async (client) => {
      await sink.discard(client, current);
      if (!connections.isSystem(sink.connection)) await ledger.forget(client, job.id);
    });
    await attempts.forgetPrepared(job.id);
  } catch (error) {
    log.warn({ jobId: job.id, reason: String(error) }, 'what an ended job used is not all removed');
  }
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
