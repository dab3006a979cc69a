import type { FailureReport } from '../../escalation/failure-report.js';
import { type ReportRow, reportOf } from './escalation-row.js';
import type { Queryable } from './pool.js';

/** Reports that nobody has taken up, or that somebody took for too long; oldest first. */
export async function takeReports(db: Queryable, limit: number, leaseMs: number): Promise<readonly FailureReport[]> {
  const { rows } = await db.query<ReportRow>(
    `with taken as (
       update sluice.failure_report set lease_until = statement_timestamp() + $2 * interval '1 ms'
       where id in (
         select id from sluice.failure_report
         where not done and (lease_until is null or lease_until < statement_timestamp())
         order by at, id limit $1 for update skip locked)
       returning *
     ) select taken.*, job.spec -> 'options' -> 'escalation' as settings
     from taken left join sluice.job on job.id = taken.job_id order by taken.at, taken.id`,
    [limit, leaseMs],
  );
  return rows.map(reportOf);
}

/**
 * Whether the report still waits, locked until the end of the transaction: whoever took it for too long finds here that
 * somebody else has counted it. Before the escalation is locked. What is opened by hand has no row and waits for nobody.
 */
export async function lockReport(db: Queryable, reportId: string): Promise<boolean> {
  const { rows } = await db.query<{ done: boolean }>(
    'select done from sluice.failure_report where id = $1 for update',
    [reportId],
  );
  return rows[0]?.done !== true;
}

/** @param escalationId the one that took it up; null when none was needed */
export async function endReport(db: Queryable, reportId: string, escalationId: string | null): Promise<void> {
  await db.query('update sluice.failure_report set done = true, escalation_id = $2 where id = $1', [
    reportId,
    escalationId,
  ]);
}
