import { JOB_STATES, type JobState } from '../../src/jobs/job.js';
import type { JobSteering } from '../../src/jobs/job-steering.js';
import type { QueueService } from '../../src/jobs/queue/ports.js';
import type { QueueStats } from '../../src/jobs/queue/queue-stats.js';
import { aJob } from './stub-jobs.js';

/** Steering that always works, of which every way can be replaced. */
export function stubSteering(methods: Partial<JobSteering> = {}): JobSteering {
  return {
    cancel: async (_caller, id) => aJob({ id, state: 'CANCELLED' }),
    pause: async (_caller, id) => aJob({ id, state: 'PAUSED' }),
    resume: async (_caller, id) => aJob({ id }),
    retry: async (_caller, id) => aJob({ id }),
    ...methods,
  };
}

/** An idle queue as a store would answer it. */
export function someQueueStats(overrides: Partial<QueueStats> = {}): QueueStats {
  return {
    at: new Date('2026-11-23T09:30:00Z'),
    // One entry for each state, by construction.
    counts: Object.fromEntries(JOB_STATES.map((state) => [state, 0])) as Record<JobState, number>,
    oldestQueuedAt: null,
    pause: null,
    workers: [],
    ...overrides,
  };
}

/** A queue that is paused when it was paused last, and tells how it stands once. */
export function stubQueues(methods: Partial<QueueService> = {}): QueueService {
  const since = new Date('2026-11-23T09:30:00Z');
  return {
    stats: async () => someQueueStats(),
    pause: async ({ name }, reason) => someQueueStats({ pause: { since, by: name, reason } }),
    resume: async () => someQueueStats(),
    async *watch() {
      yield someQueueStats();
    },
    ...methods,
  };
}
