import type { EscalationService } from '../escalation/service.js';
import type { DeadLetterService } from '../src/jobs/dead-letters/ports.js';
import type { Caller, JobService, JobWatcher } from '../src/jobs/job-service.js';
import type { JobSteering } from '../src/jobs/job-steering.js';
import type { SuccessMetricsService } from '../src/jobs/monitors/success-metrics-service.js';
import type { QuarantineService } from '../src/jobs/quarantine/ports.js';
import type { QueueService } from '../src/jobs/queue/ports.js';

/** What every resolver gets: who asks, and the ports that answer. */
export interface GraphqlContext {
  readonly caller: Caller;
  readonly jobs: JobService;
  readonly steering: JobSteering;
  readonly quarantine: QuarantineService;
  readonly queues: QueueService;
  readonly deadLetters: DeadLetterService;
  readonly watcher: JobWatcher;
  readonly escalations: EscalationService;
  readonly successMetrics?: SuccessMetricsService | undefined;
}

export type {
  Caller,
  DeadLetterService,
  EscalationService,
  JobService,
  JobSteering,
  JobWatcher,
  QuarantineService,
  QueueService,
  SuccessMetricsService,
};
