import type { ErrorCode } from '../core/errors.js';
import { cleanUp } from './end-attempt.js';
import { failureOf } from './failure.js';
import type { Attempt, SinkClient, SweepStore } from './stores.js';
import type { WorkerContext } from './worker-context.js';

/** The target does not let its rows go, and will not by itself. */
const REFUSALS: readonly ErrorCode[] = [
  'TARGET_NOT_ALLOWED',
  'TARGET_NOT_FOUND',
  'TARGET_INCOMPATIBLE',
  'CONSTRAINT_VIOLATION',
  'UNKNOWN_CONNECTION',
];
/** Removals of one process at a time; each keeps a connection for as long as it takes. */
const MOST_AT_ONCE = 2;

/**
 * Removes the rows of a job from its target and cancels it, in one transaction; in another database the rows go first,
 * with a word that keeps late parts out, and what is repeated after a crash finds nothing to remove.
 *
 * @returns false when somebody else does, or did
 */
export async function rollBack(context: WorkerContext, attempt: Attempt, signal: AbortSignal): Promise<boolean> {
  const { chunks, connections, ledger, parsePipeline, log } = context;
  const { job } = attempt;
  const remove = async (own: SinkClient): Promise<number> => {
    const { sink } = parsePipeline(job.spec);
    const removeIn = async (client: SinkClient) => (await sink.removeLoad?.({ client, signal }, job.id)) ?? 0;
    if (connections.isSystem(sink.connection)) return removeIn(own);
    const entries = job.progress.chunksTotal ?? 0;
    return connections.transaction(sink.connection, signal, (client) =>
      ledger.withdraw(client, job.id, entries, () => removeIn(client)),
    );
  };
  let isDone: boolean;
  try {
    isDone = await chunks.rollBack(job.id, signal, remove);
  } catch (thrown) {
    const failure = failureOf(thrown);
    if (signal.aborted || !REFUSALS.includes(failure.code)) throw thrown;
    log.warn({ jobId: job.id, reason: failure.message }, 'rows of a cancelled job cannot be removed');
    isDone = await chunks.rollBack(job.id, signal, async () => ({ reason: failure.message }));
  }
  if (isDone) await cleanUp(context, attempt);
  return isDone;
}

/** Removes rows beside the rounds of the sweeper, which nothing may hold up. */
export function startRollbacks(context: WorkerContext, sweep: Pick<SweepStore, 'rollbacks'>) {
  const running = new Map<string, Promise<unknown>>();
  const stopping = new AbortController();

  function begin(attempt: Attempt): void {
    const { id } = attempt.job;
    const removal = rollBack(context, attempt, stopping.signal)
      .catch((error: unknown) => {
        if (!stopping.signal.aborted)
          context.log.warn({ jobId: id, reason: String(error) }, 'rows of a cancelled job are not removed yet');
      })
      .finally(() => running.delete(id));
    running.set(id, removal);
  }

  return {
    /** Begins what waits and fits; the next look comes for the rest. */
    async look(): Promise<void> {
      const free = MOST_AT_ONCE - running.size;
      if (free <= 0) return;
      // Those that run are still among them.
      const waiting = await sweep.rollbacks(MOST_AT_ONCE + running.size);
      for (const attempt of waiting.filter(({ job }) => !running.has(job.id)).slice(0, free)) begin(attempt);
    },
    async stop(): Promise<void> {
      stopping.abort();
      await Promise.all(running.values());
    },
  };
}
