import { answersWithin, HEALTH_TIMEOUT_MS } from '../core/answers-within.js';
import type { Clock } from '../core/clock.js';
import type { Log } from '../core/log.js';
import { TOPICS } from '../jobs/events.js';
import type { EventBus } from '../jobs/ports.js';
import { createAttemptStore } from './attempt-store.js';
import { createChunkStore } from './chunk-store.js';
import { createDeadLetterStore } from './dead-letters/create-dead-letter-store.js';
import { createEventStore } from './event-store.js';
import { createJobActions, type JobActionsDeps } from './job-actions.js';
import type { Announcer } from './job-change.js';
import { createJobStore } from './job-store.js';
import { createLoadLedger } from './load-ledger.js';
import { createPool } from './pool.js';
import { createQuarantineChanges } from './quarantine-changes.js';
import { createQuarantineStore } from './quarantine-store.js';
import { createReportStore } from './report-store.js';
import { type RetryDeps, retryJob } from './retry-job.js';
import { createSinkConnections } from './sink-connections.js';
import { createSweepStore } from './sweep-store.js';

export interface StoresOptions {
  readonly databaseUrl: string;
  /** Further databases that sinks may write to, by name. */
  readonly connections: Readonly<Record<string, string>>;
  /** Whether a change is announced by NOTIFY, as part of its own statement. */
  readonly isBusOnPostgres: boolean;
  /** Chunks that this process may load at once. */
  readonly loads: number;
  readonly log: Log;
}

const SHORT_QUERIES_AT_ONCE = 10;
/** Inside a short transaction, while what a held job has left in another database or on the disk is removed. */
const LONGEST_PAUSE_MS = 30_000;
/** No statement but those of loads takes this long. */
const SILENCE_MS = 30_000;

/** Every store of the process, over two pools: loads never keep a short query waiting for a connection. */
export async function openStores({ databaseUrl, connections, isBusOnPostgres, loads, log }: StoresOptions) {
  const onIdleError = (error: Error) => log.warn({ reason: error.message }, 'a database connection broke');
  const pool = createPool(databaseUrl, {
    max: SHORT_QUERIES_AT_ONCE,
    applicationName: 'sluice',
    idleInTransactionMs: LONGEST_PAUSE_MS,
    silenceMs: SILENCE_MS,
    onIdleError,
  });
  // Two more for the statements that cancel others.
  const loadPool = createPool(databaseUrl, { max: loads + 2, applicationName: 'sluice load', onIdleError });
  // Of its own: a pool that is busy does not mean that the database is away.
  const healthPool = createPool(databaseUrl, {
    max: 1,
    applicationName: 'sluice health',
    silenceMs: HEALTH_TIMEOUT_MS,
    onIdleError,
  });
  let bus: EventBus | undefined;
  const announcer: Announcer = {
    inTransaction: isBusOnPostgres,
    announce(signal) {
      if (isBusOnPostgres) return;
      // Readers poll for what they miss.
      bus
        ?.publish(TOPICS.jobs, signal)
        .catch((error: unknown) => log.debug({ reason: String(error) }, 'not announced'));
    },
  };
  const sinks = createSinkConnections({
    systemUrl: databaseUrl,
    systemPool: loadPool,
    urls: connections,
    max: loads + 2,
    onIdleError,
  });
  const ledger = createLoadLedger();
  // With the database's own number: a copy of a database is another installation.
  const { rows } = await pool.query<{ name: string }>(
    `select left(id::text, 8) || '-' || (select oid from pg_database where datname = current_database()) as name
     from sluice.installation`,
  );
  return {
    pool,
    /** Names this installation where it shares a Redis with others. */
    installation: rows[0]?.name ?? 'unnamed',
    jobs: createJobStore(pool, announcer),
    attempts: createAttemptStore(pool, announcer),
    chunks: createChunkStore(loadPool, announcer),
    events: createEventStore(pool),
    quarantine: createQuarantineStore(pool),
    quarantineChanges: createQuarantineChanges(pool, announcer),
    reports: createReportStore(pool),
    sweep: createSweepStore(pool, announcer),
    deadLetters: createDeadLetterStore(pool, announcer, sinks),
    /** What verdicts do to jobs. */
    jobActions: (around: Pick<JobActionsDeps, 'staging' | 'queue' | 'parsePipeline' | 'check' | 'log'>) =>
      createJobActions({ ...around, pool, announcer, connections: sinks, ledger }),
    /** What a retry does to a job. */
    retry: (around: Pick<RetryDeps, 'staging' | 'parsePipeline' | 'log'>) =>
      retryJob({ ...around, pool, announcer, connections: sinks, ledger }),
    connections: sinks,
    ledger,
    /** With the bus elsewhere: how changes are announced, once it is there. */
    announceOver(other: EventBus): void {
      bus = other;
    },
    healthy: (clock: Clock) => answersWithin(clock, HEALTH_TIMEOUT_MS, healthPool.query('select 1')),
    async close(): Promise<void> {
      await sinks.close();
      await Promise.all([pool.end(), loadPool.end(), healthPool.end()]);
    },
  };
}
