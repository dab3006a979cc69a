import type { Caller, JobService, JobWatcher } from '../src/jobs/job-service.js';

/** What every resolver gets: who asks, and the ports that answer. */
export interface GraphqlContext {
  readonly caller: Caller;
  readonly jobs: JobService;
  readonly watcher: JobWatcher;
}

export type { Caller, JobService, JobWatcher };
