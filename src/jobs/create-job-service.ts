import { SluiceError } from '../core/errors.js';
import { newId } from '../core/ids.js';
import type { Log } from '../core/log.js';
import type { Engine } from '../engine/engine.js';
import type { Pipeline } from '../engine/pipeline.js';
import { checkLaunch, offerLaunched, sinkClientOf } from './check-launch.js';
import type { Caller, JobService } from './job-service.js';
import { parseLaunch, specHashOf } from './parse-launch.js';
import type { JobQueue } from './ports.js';
import { refuseUnstorable } from './refuse-unstorable.js';
import type { JobStore, ReportStore, SinkConnections } from './stores.js';
import { createTurnstile } from './turnstile.js';

export interface JobServiceDeps {
  readonly jobs: JobStore;
  readonly reports: ReportStore;
  readonly connections: SinkConnections;
  readonly queue: JobQueue;
  readonly engine: Engine;
  readonly parsePipeline: (input: unknown) => Pipeline;
  /** Whether an agent of that id can answer for a job. */
  readonly isKnownOwner: (id: string) => boolean;
  readonly log: Log;
}

/** Dry runs beside the jobs: each is an engine session with its memory. */
const DRY_RUNS_AT_ONCE = 2;

export function createJobService(deps: JobServiceDeps): JobService {
  const { jobs, reports, connections, engine, parsePipeline } = deps;
  const dryRun = createTurnstile(DRY_RUNS_AT_ONCE);

  function requireOwner(owner: string): void {
    if (deps.isKnownOwner(owner)) return;
    const message = `The owner ${owner} is not in the org chart; use an id such as layer-12.`;
    throw new SluiceError('UNKNOWN_OWNER', message, { path: ['owner'] });
  }

  return {
    async launchEtl({ tenant }: Caller, request) {
      const { name, owner, idempotencyKey, priority } = parseLaunch(request);
      const pipeline = parsePipeline(request.pipeline);
      refuseUnstorable(pipeline.json);
      requireOwner(owner);
      const identity = { tenant, kind: 'ETL', idempotencyKey } as const;
      const specHash = specHashOf({ name, owner, priority, pipeline: pipeline.json });
      // Before the check: the first answer stands, even when its source is gone by now.
      const first = await jobs.replay({ ...identity, specHash });
      if (first !== null) return { job: first, replayed: true };
      await checkLaunch(deps, pipeline);
      const { maxAttempts, timeoutMs } = pipeline.options;
      const launched = await jobs.insert({
        ...identity,
        id: newId(),
        name,
        owner,
        spec: pipeline.json,
        specHash,
        priority,
        maxAttempts,
        timeoutMs,
      });
      if (!launched.replayed) await offerLaunched(deps, launched.job);
      return launched;
    },

    get: ({ tenant }, jobId) => jobs.get(tenant, jobId),
    attempts: ({ tenant }, jobId, last) => jobs.attempts(tenant, jobId, last),
    list: ({ tenant }, filter, order, page) => jobs.list(tenant, filter, order, page),
    report: ({ tenant }, jobId) => reports.list(tenant, jobId),

    async preview(_caller, input, rows) {
      const pipeline = parsePipeline(input);
      return dryRun(() => engine.preview(pipeline, sinkClientOf(connections, pipeline), rows));
    },
    inferSchema: (_caller, source) => dryRun(() => engine.inferSchema(source)),
  };
}
