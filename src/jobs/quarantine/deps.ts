import type { Log } from '../../core/log.js';
import type { Engine } from '../../engine/engine.js';
import type { Pipeline } from '../../engine/pipeline.js';
import type { JobQueue } from '../ports.js';
import type { JobStore, SinkConnections } from '../stores.js';
import type { QuarantineChanges, QuarantineStore } from './stores.js';

/** What the quarantine works with. */
export interface QuarantineServiceDeps {
  readonly jobs: Pick<JobStore, 'get' | 'replay'>;
  readonly quarantine: QuarantineStore;
  readonly quarantineChanges: QuarantineChanges;
  readonly connections: SinkConnections;
  readonly queue: Pick<JobQueue, 'offer'>;
  readonly engine: Engine;
  readonly parsePipeline: (spec: unknown) => Pipeline;
  readonly log: Log;
}
