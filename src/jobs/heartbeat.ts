import type { Clock } from '../core/clock.js';
import { SluiceError } from '../core/errors.js';
import type { Log } from '../core/log.js';
import type { Run } from './run.js';
import type { AttemptStore, Pulse } from './stores.js';

/** Three beats fit into a lease, so that one that is late or lost costs nothing. */
export const LEASE_MS = 6_000;
export const HEARTBEAT_MS = 2_000;

/** Ends the run; what becomes of the job is read from its row. */
const toldToStop = () => new SluiceError('LEASE_LOST', 'The job is no longer to be run here.');

/**
 * Renews the leases of every run of this process in one statement, and stops runs whose job was told to stop or taken
 * over. The lease of the attempt is renewed by helpers too: it says that somebody is on the job.
 */
export function createHeartbeat(attempts: AttemptStore, runs: ReadonlySet<Run>, clock: Clock, log: Log) {
  const isOver = (run: Run, pulse: Pulse | undefined) =>
    pulse === undefined || pulse.stopRequested || pulse.token !== run.attempt?.token;

  async function renew(candidates: Iterable<Run>): Promise<void> {
    const held = [...candidates].filter((run) => run.attempt !== undefined);
    if (held.length === 0) return;
    const tokens = held.flatMap((run) => (run.attempt ? [run.token, run.attempt.token] : []));
    const pulses = await attempts.renew([...new Set(tokens)], [...new Set(held.map((run) => run.jobId))], LEASE_MS);
    const byJob = new Map(pulses.map((pulse) => [pulse.jobId, pulse]));
    for (const run of held) if (isOver(run, byJob.get(run.jobId))) run.stop(toldToStop());
  }

  let isBeating = false;
  /** A database that is away is told of once. */
  let hasFailed = false;
  const timer = clock.every(HEARTBEAT_MS, () => {
    // A slow database gets no second statement on top; the lease outlives two missed beats.
    if (isBeating) return;
    isBeating = true;
    renew(runs)
      .then(
        () => {
          hasFailed = false;
        },
        (error: unknown) => {
          if (!hasFailed) log.warn({ reason: String(error) }, 'a heartbeat failed');
          hasFailed = true;
        },
      )
      .finally(() => {
        isBeating = false;
      });
  });
  return {
    /**
     * Asks at once, instead of with the next beat, whether the runs of a job are over. A message alone never ends a run:
     * it may be about an attempt before this one, and arrive late. Never rejects.
     */
    async look(jobId: string): Promise<void> {
      const meant = [...runs].filter((run) => run.jobId === jobId);
      for (const run of meant) run.isDoubted = true;
      await renew(meant).catch((error: unknown) => log.debug({ jobId, reason: String(error) }, 'the next beat tells'));
    },
    stop: () => timer.cancel(),
  };
}
