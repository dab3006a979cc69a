import type { EscalationService } from '../escalation/service.js';
import type { Caller, JobService, JobWatcher } from '../src/jobs/job-service.js';
import type { SuccessMetricsService } from '../src/jobs/monitors/success-metrics-service.js';

/** What every resolver gets: who asks, and the ports that answer. */
export interface GraphqlContext {
  readonly caller: Caller;
  readonly jobs: JobService;
  readonly watcher: JobWatcher;
  readonly escalations: EscalationService;
  readonly successMetrics?: SuccessMetricsService | undefined;
}

export type { Caller, EscalationService, JobService, JobWatcher, SuccessMetricsService };
