import type { Clock } from '../core/clock.js';
import type { Log } from '../core/log.js';
import type { Engine } from '../engine/engine.js';
import type { FileResolver, Pipeline } from '../engine/pipeline.js';
import type { HttpEndpoints } from '../engine/sinks/sink.js';
import type { LoadLedger } from './load-ledger.js';
import type { EventBus, JobQueue } from './ports.js';
import type { QuarantineStore } from './quarantine/stores.js';
import type { Run } from './run.js';
import type { StagingArea } from './staging-area.js';
import type { Attempt, AttemptStore, ChunkStore, PreparedSink, ReportStore, SinkConnections } from './stores.js';

/** What a worker works with. */
export interface WorkerContext {
  /** Shown on rows that this process holds. */
  readonly worker: string;
  readonly attempts: AttemptStore;
  readonly chunks: ChunkStore;
  readonly quarantine: QuarantineStore;
  readonly reports: ReportStore;
  readonly connections: SinkConnections;
  readonly ledger: LoadLedger;
  readonly staging: StagingArea;
  /** Bytes of staged parts with which no evaluation is begun any more; null for no limit. */
  readonly stagingMaxBytes?: number | null;
  readonly engine: Engine;
  readonly files: FileResolver;
  /** Of HTTP sinks; none without them. */
  readonly endpoints?: HttpEndpoints;
  readonly parsePipeline: (spec: unknown) => Pipeline;
  readonly queue: JobQueue;
  readonly bus: EventBus;
  readonly clock: Clock;
  readonly log: Log;
  /** Hurries whoever takes failure reports up; without it they are found a little later. */
  readonly onHeld?: (tenant: string) => Promise<void>;
  /** A number in [0, 1) for the jitter of retries. */
  readonly random: () => number;
}

/** An attempt whose pipeline is bound. */
export interface BoundAttempt {
  readonly run: Run;
  readonly attempt: Attempt;
  readonly pipeline: Pipeline;
}

export interface PreparedAttempt extends BoundAttempt {
  readonly prepared: PreparedSink;
}
