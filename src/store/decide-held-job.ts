import { type Announcer, type ChangedRow, guardOf, TOUCH, withEvent } from './job-change.js';
import type { Queryable } from './pool.js';
import { requeueJob } from './requeue-job.js';

const HELD = `job.id = $1 and job.state = any($2)`;

/** How a held job goes on, each way with the event that names the verdict. */
export function decideHeldJob(announcer: Announcer) {
  const held = guardOf('DECIDE').from;
  const fail = guardOf('FAIL');
  const abort = withEvent(announcer, {
    change: `update sluice.job as job set state = '${fail.to}', worker = null, finished_at = statement_timestamp(), ${TOUCH}
      where ${HELD} returning job.*`,
    kind: 'STATE',
    message: '$3::text',
    reports: true,
  });
  // No STATE: the job awaits the decision that it awaited before.
  const remain = withEvent(announcer, {
    change: `update sluice.job as job set ${TOUCH} where ${HELD} returning job.*`,
    kind: 'STAGE',
    message: '$3::text',
  });

  async function run(db: Queryable, statement: string, jobId: string, message: string): Promise<ChangedRow> {
    const { rows } = await db.query<ChangedRow>(statement, [jobId, held, message]);
    if (!rows[0]) throw new Error('a job that was locked while it was held is held no more');
    return rows[0];
  }

  return {
    ...requeueJob(announcer, 'DECIDE'),
    abort: (db: Queryable, jobId: string, message: string) => run(db, abort, jobId, message),
    remain: (db: Queryable, jobId: string, message: string) => run(db, remain, jobId, message),
  };
}
