import type { JobStore } from '../jobs/stores.js';
import { jobInsertion, notStored, readReplay } from './insert-job.js';
import { readJobAttempts } from './job-attempt.js';
import { type Announcer, signalOf } from './job-change.js';
import { listJobs } from './job-list.js';
import { jobOf } from './job-row.js';
import type { Pool } from './pool.js';
import { readJob } from './read-job.js';
import { resumeJob } from './resume-job.js';
import { stopJob } from './stop-job.js';

/** @param announcer how changes reach the processes that watch */
export function createJobStore(pool: Pool, announcer: Announcer): JobStore {
  const insertJob = jobInsertion(announcer);
  const { requestCancel, requestPause } = stopJob(pool, announcer);

  return {
    async insert(job) {
      const row = await insertJob(pool, job);
      if (row !== undefined) {
        announcer.announce(signalOf(row));
        return { job: jobOf(row), replayed: false };
      }
      const first = await readReplay(pool, job);
      // Only a job that was deleted in between leaves nothing behind.
      if (first === null) throw notStored();
      return { job: first, replayed: true };
    },

    replay: (job) => readReplay(pool, job),

    get: (tenant, jobId) => readJob(pool, tenant, jobId),

    list: (tenant, filter, order, page) => listJobs(pool, tenant, filter, order, page),

    attempts: (tenant, jobId, last) => readJobAttempts(pool, tenant, jobId, last),

    requestCancel,
    requestPause,
    resume: resumeJob(pool, announcer),
  };
}
