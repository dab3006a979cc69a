import { SluiceError, UserErrors } from '../core/errors.js';
import type { Log } from '../core/log.js';
import type { Engine, WithSinkClient } from '../engine/engine.js';
import type { Pipeline } from '../engine/pipeline.js';
import type { Job } from './job.js';
import type { JobQueue } from './ports.js';
import type { SinkConnections } from './stores.js';

/** Clients of the connection that the sink of a pipeline names. */
export const sinkClientOf =
  (connections: SinkConnections, pipeline: Pipeline): WithSinkClient =>
  (work) =>
    connections.withClient(pipeline.sink.connection, work);

/** Holds a pipeline against its files and its target. @throws UserErrors; UNKNOWN_CONNECTION at the sink that names it */
export async function checkLaunch(
  { engine, connections }: { readonly engine: Pick<Engine, 'check'>; readonly connections: SinkConnections },
  pipeline: Pipeline,
): Promise<void> {
  try {
    await engine.check(pipeline, sinkClientOf(connections, pipeline));
  } catch (error) {
    throw error instanceof SluiceError && error.code === 'UNKNOWN_CONNECTION' ? atSink(pipeline, error) : error;
  }
}

function atSink(pipeline: Pipeline, error: SluiceError): UserErrors {
  return new UserErrors([error.under('sink', ...Object.keys(pipeline.json.sink))]);
}

/** The row is stored; without the hint the sweeper offers it a little later. */
export async function offerLaunched(
  { queue, log }: { readonly queue: Pick<JobQueue, 'offer'>; readonly log: Log },
  { id, lastSeq, priority }: Job,
): Promise<void> {
  await queue
    .offer(id, { priority, once: String(lastSeq) })
    .catch((error: unknown) => log.warn({ jobId: id, reason: String(error) }, 'a launched job could not be offered'));
}
