import type { EscalationService } from '../escalation/service.js';
import type { Caller, JobService, JobWatcher } from '../src/jobs/job-service.js';

/** What every resolver gets: who asks, and the ports that answer. */
export interface GraphqlContext {
  readonly caller: Caller;
  readonly jobs: JobService;
  readonly watcher: JobWatcher;
  readonly escalations: EscalationService;
}

export type { Caller, EscalationService, JobService, JobWatcher };
