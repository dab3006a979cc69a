import { isId } from '../../core/ids.js';
import type { JobDiscard, JobRedrive } from '../../jobs/dead-letters/ports.js';
import { errorCodeOf } from '../job-row.js';
import type { Queryable } from '../pool.js';

interface JobRedriveRow {
  readonly id: string;
  readonly number: number;
  readonly at: Date;
  readonly by: string;
  readonly died_at: Date;
  readonly fingerprint: string;
  readonly error_code: string | null;
  readonly error_message: string | null;
}

const jobRedriveOf = ({
  died_at: diedAt,
  error_code: code,
  error_message: message,
  ...row
}: JobRedriveRow): JobRedrive => ({
  ...row,
  diedAt,
  error: code === null ? null : { code: errorCodeOf(code), message: message ?? '' },
});

/** The last redrives of a job, oldest first. */
export async function readRedrives(
  db: Queryable,
  tenant: string,
  jobId: string,
  last: number,
): Promise<readonly JobRedrive[]> {
  if (!isId(jobId)) return [];
  const { rows } = await db.query<JobRedriveRow>(
    `select redrive.id, one.number, redrive.requested_at as at, redrive.requested_by as by, one.died_at, one.fingerprint,
       one.error_code, one.error_message
     from sluice.job_redrive as one join sluice.redrive as redrive on redrive.id = one.redrive_id
     where one.tenant = $1 and one.job_id = $2 order by one.number desc limit $3`,
    [tenant, jobId, last],
  );
  return rows.map(jobRedriveOf).reverse();
}

/** Who gave the job up, and why; null when nobody did. */
export async function readDiscard(db: Queryable, tenant: string, jobId: string): Promise<JobDiscard | null> {
  if (!isId(jobId)) return null;
  const { rows } = await db.query<JobDiscard>(
    `select discarded_at as at, discarded_by as by, discard_reason as reason
     from sluice.job where tenant = $1 and id = $2 and discarded_at is not null`,
    [tenant, jobId],
  );
  return rows[0] ?? null;
}
