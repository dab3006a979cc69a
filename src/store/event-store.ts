import { isId } from '../core/ids.js';
import type { JobEvent, JobEventKind } from '../jobs/events.js';
import { FINAL_STATES, type JobKind, type JobStage, type JobState } from '../jobs/job.js';
import type { JobEventReader, JobFeedReader } from '../jobs/ports.js';
import { type CountsRow, JOB_COLUMNS, type JobRow, jobErrorOf, jobOf, progressOf } from './job-row.js';
import type { Pool } from './pool.js';
import { readJob } from './read-job.js';

interface EventRow {
  readonly job_id: string;
  readonly job_name: string;
  readonly job_kind: JobKind;
  readonly seq: bigint;
  readonly at: Date;
  readonly kind: JobEventKind;
  readonly state: JobState;
  readonly stage: JobStage | null;
  /** Written by `withEvent` alone, in the shape of `CountsRow`. */
  readonly progress: CountsRow;
  readonly message: string | null;
  readonly error: unknown;
}

const eventOf = (row: EventRow): JobEvent => ({
  jobId: row.job_id,
  jobName: row.job_name,
  jobKind: row.job_kind,
  seq: Number(row.seq),
  at: row.at,
  kind: row.kind,
  state: row.state,
  stage: row.stage,
  progress: progressOf(row.progress, row.state, row.stage),
  message: row.message,
  error: jobErrorOf(row.error),
});

/** What the event hub reads: stored events, jobs, and what moves. */
export function createEventStore(pool: Pool): JobEventReader & JobFeedReader {
  return {
    async readAfter(tenant, jobId, afterSeq, limit) {
      if (!isId(jobId)) return [];
      const { rows } = await pool.query<EventRow>(
        `select event.job_id, job.name as job_name, job.kind as job_kind, event.seq, event.at, event.kind, event.state,
           event.stage, event.progress, event.message, event.error
         from sluice.job_event as event join sluice.job as job on job.id = event.job_id
         where event.tenant = $1 and event.job_id = $2 and event.seq > $3 order by event.seq limit $4`,
        [tenant, jobId, afterSeq, limit],
      );
      return rows.map(eventOf);
    },

    job: (tenant, jobId) => readJob(pool, tenant, jobId),

    async movingJobs(tenant, changedWithinMs, limit) {
      const { rows } = await pool.query<JobRow>(
        `select ${JOB_COLUMNS} from sluice.job as job
         where job.tenant = $1 and (job.state <> all($2)
           or job.updated_at > statement_timestamp() - $3 * interval '1 ms')
         order by job.created_at desc, job.id desc limit $4`,
        [tenant, FINAL_STATES, changedWithinMs, limit],
      );
      return rows.map(jobOf);
    },

    async lastSeqs(jobIds) {
      const { rows } = await pool.query<{ id: string; last_seq: bigint }>(
        'select id, last_seq from sluice.job where id = any($1)',
        [jobIds.filter(isId)],
      );
      return new Map(rows.map((row) => [row.id, Number(row.last_seq)]));
    },
  };
}
