import { createLog } from '../../src/core/log.js';
import { parsePipeline } from '../../src/engine/parse-pipeline.js';
import { createJobSteering } from '../../src/jobs/create-job-steering.js';
import { createStagingArea } from '../../src/jobs/staging-area.js';
import { handQueue } from './hand-queue.js';
import type { Runtime } from './runtime.js';

/** The steering of a gateway over the stores of a runtime, with a queue in the hands of the test. */
export function steeringOf(runtime: Runtime) {
  const { stores, bus } = runtime;
  const log = createLog('silent');
  const queue = handQueue();
  const staging = createStagingArea(runtime.staging);
  const steering = createJobSteering({
    jobs: stores.jobs,
    retry: stores.retry({ staging, parsePipeline, log }),
    queue,
    bus,
    log,
  });
  return { steering, queue };
}

/** Whose jobs the tests steer. */
export const CALLER = { tenant: 'default', name: 'test' };
