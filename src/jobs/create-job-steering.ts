import type { Log } from '../core/log.js';
import { TOPICS } from './events.js';
import type { Job } from './job.js';
import type { JobSteering } from './job-steering.js';
import type { EventBus, JobQueue } from './ports.js';
import type { JobStore } from './stores.js';

export interface JobSteeringDeps {
  readonly jobs: Pick<JobStore, 'requestCancel' | 'requestPause' | 'resume'>;
  /** Removes what the job has left behind, so it needs more than its row. */
  readonly retry: (tenant: string, jobId: string) => Promise<Job>;
  readonly queue: Pick<JobQueue, 'offer'>;
  readonly bus: Pick<EventBus, 'publish'>;
  readonly log: Log;
}

export function createJobSteering({ jobs, retry, queue, bus, log }: JobSteeringDeps): JobSteering {
  /** Workers read the row by their next heartbeat; this makes them look at once. */
  async function tellWorkers(job: Job): Promise<Job> {
    await bus
      .publish(TOPICS.cancel, { jobId: job.id })
      .catch((error: unknown) =>
        log.warn({ jobId: job.id, reason: String(error) }, 'workers could not be told to stop'),
      );
    return job;
  }

  /** Without the hint the sweeper offers it a little later. */
  async function offer(job: Job): Promise<Job> {
    if (job.state !== 'QUEUED') return job;
    await queue
      .offer(job.id, { priority: job.priority, once: String(job.lastSeq) })
      .catch((error: unknown) =>
        log.warn({ jobId: job.id, reason: String(error) }, 'a job that may go on was not offered'),
      );
    return job;
  }

  return {
    cancel: async ({ tenant }, jobId, rollback) => tellWorkers(await jobs.requestCancel(tenant, jobId, rollback)),
    pause: async ({ tenant }, jobId) => tellWorkers(await jobs.requestPause(tenant, jobId)),
    resume: async ({ tenant }, jobId) => offer(await jobs.resume(tenant, jobId)),
    retry: async ({ tenant }, jobId) => offer(await retry(tenant, jobId)),
  };
}
