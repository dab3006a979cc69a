import { type DueLoop, startDueLoop } from '../core/due-loop.js';
import { cleanUp } from './end-attempt.js';
import { HEARTBEAT_MS } from './heartbeat.js';
import type { Offer } from './ports.js';
import { startRollbacks } from './roll-back.js';
import type { Straggler, SweepStore } from './stores.js';
import type { WorkerContext } from './worker-context.js';

/** How often it looks; with leases of 6 s, work of a killed process goes on elsewhere within 10 s. */
const SWEEP_MS = 2_000;
/** A queued job without movement for this long may have lost its hint. */
const QUEUED_IDLE_MS = 5_000;
const LOADING_IDLE_MS = 1_000;
/** A job being loaded that everybody has left, and that nobody came to for this long, is handed back as a whole. */
const STUCK_MS = 60_000;
/** So many workers in a row that stop answering, with nothing done in between, are the job's doing. */
const MAX_TAKEOVERS = 3;
const BATCH = 500;
/** Offered at once after the queue has lost its content; of more than this the next round offers what is left. */
const MOST_OFFERED = 2_500;
// The one who ended the job removes what it left; the sweeper comes after a crash.
const LEFTOVER_IDLE_MS = 15_000;
/** Quarantined rows that are removed at once, and how often in a round. */
const OLD_ROWS = 1_000;
const OLD_BATCHES = 20;
// Within one window a job is offered again once. A queue that is backed up must not fill with copies of its own
// content; a load that nobody is on is urgent, and its last hint may have died with its worker.
const QUEUED_WINDOW_MS = 60_000;
const LOADING_WINDOW_MS = 5_000;

export interface Sweeper {
  /** Something became due. */
  wake(): void;
  stop(): Promise<void>;
}

/**
 * Offers again whatever should be moving and is not: rows are the truth, and hints may have been lost.
 * @param quarantineDays after which quarantined rows of ended jobs are removed; 0 keeps them
 */
export function startSweeper(context: WorkerContext, sweep: SweepStore, quarantineDays = 0): Sweeper {
  const { queue, staging, clock, log } = context;
  const rollbacks = startRollbacks(context, sweep);
  let lastLeftovers = Number.NEGATIVE_INFINITY;
  /** When the database last kept us from looking. */
  let lastBlind = Number.NEGATIVE_INFINITY;

  function offersOf(stragglers: readonly Straggler[], windowMs: number): readonly Offer[] {
    const window = Math.floor(clock.now().getTime() / windowMs);
    return stragglers.map(({ jobId, priority, lastSeq }) => ({ jobId, priority, once: `${lastSeq}-${window}` }));
  }

  /**
   * What a worker would take next has a hint. All that is queued is offered again only when the queue holds less than
   * that: it has lost what it had.
   */
  async function idleOffers(): Promise<readonly Offer[]> {
    const idle = await sweep.queued(QUEUED_IDLE_MS, MOST_OFFERED);
    const isWhole = idle.length <= BATCH || (await queue.waiting()) >= idle.length;
    return offersOf(isWhole ? idle.slice(0, BATCH) : idle, QUEUED_WINDOW_MS);
  }

  async function removeLeftovers(): Promise<void> {
    for (const attempt of await sweep.leftovers(LEFTOVER_IDLE_MS, BATCH)) await cleanUp(context, attempt);
    const staged = await staging.jobIds();
    if (staged.length === 0) return;
    for (const jobId of await sweep.ended(staged)) await staging.remove(jobId);
  }

  /** So many a round that a year's rows are gone within hours, and few enough that nothing waits for them. */
  async function removeOldQuarantine(): Promise<void> {
    if (quarantineDays === 0) return;
    let removed = 0;
    for (let batch = 0; batch < OLD_BATCHES; batch++) {
      const rows = await sweep.removeOldQuarantine(quarantineDays, OLD_ROWS);
      removed += rows;
      if (rows < OLD_ROWS) break;
    }
    if (removed > 0) log.info({ rows: removed, days: quarantineDays }, 'old quarantined rows are removed');
  }

  /** @returns what is to go on at once */
  async function look(): Promise<readonly Straggler[]> {
    const due = await sweep.due(BATCH);
    // Nobody could renew a lease while the database was away: whoever lives gets the time to do it now.
    if (clock.monotonicMs() - lastBlind < 2 * HEARTBEAT_MS) return due;
    const takenOver = await sweep.takeOver(MAX_TAKEOVERS, STUCK_MS, BATCH);
    if (takenOver.length > 0) log.warn({ jobs: takenOver.length }, 'jobs of workers that stopped are taken over');
    await sweep.stopAbandoned(BATCH);
    await rollbacks.look();
    return [...due, ...takenOver, ...(await sweep.unattendedLoads(LOADING_IDLE_MS, BATCH))];
  }

  async function round(): Promise<number | null> {
    const urgent = await look().catch((error: unknown) => {
      lastBlind = clock.monotonicMs();
      throw error;
    });
    if (clock.monotonicMs() - lastLeftovers > LEFTOVER_IDLE_MS) {
      lastLeftovers = clock.monotonicMs();
      await removeLeftovers();
      await removeOldQuarantine();
    }
    // Last: while the queue is away all the rest is done.
    await queue.offerAll(offersOf(urgent, LOADING_WINDOW_MS));
    await queue.offerAll(await idleOffers());
    return sweep.nextDueMs();
  }

  const loop: DueLoop = startDueLoop({ name: 'sweeper', work: round, pollMs: SWEEP_MS, clock, log });
  return {
    wake: () => loop.wake(),
    async stop() {
      await Promise.all([loop.stop(), rollbacks.stop()]);
    },
  };
}
