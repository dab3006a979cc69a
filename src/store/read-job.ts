import { SluiceError } from '../core/errors.js';
import { isId } from '../core/ids.js';
import type { Job } from '../jobs/job.js';
import { JOB_COLUMNS, type JobRow, jobOf } from './job-row.js';
import type { Queryable } from './pool.js';

export async function readJob(db: Queryable, tenant: string, jobId: string): Promise<Job | null> {
  // Postgres refuses to compare a uuid with anything else.
  if (!isId(jobId)) return null;
  const { rows } = await db.query<JobRow>(
    `select ${JOB_COLUMNS} from sluice.job as job where job.tenant = $1 and job.id = $2`,
    [tenant, jobId],
  );
  return rows[0] ? jobOf(rows[0]) : null;
}

export const jobNotFound = (jobId: string): SluiceError =>
  new SluiceError('JOB_NOT_FOUND', `There is no job ${jobId}.`);

/** @throws SluiceError JOB_NOT_FOUND */
export async function requireJob(db: Queryable, tenant: string, jobId: string): Promise<Job> {
  const job = await readJob(db, tenant, jobId);
  if (job === null) throw jobNotFound(jobId);
  return job;
}
