import type { FailureReport } from '../../escalation/failure-report.js';
import { newId } from '../../src/core/ids.js';
import type { Queryable } from '../../src/store/pool.js';

/** What a report stores; the settings come from its job. */
export type Reported = Omit<FailureReport, 'settings'>;

/** What a job or a monitor stores in the transaction of what it is about; of a pipeline of its own unless told. */
export async function storeReport(db: Queryable, changes: Partial<Reported>): Promise<Reported> {
  const report: Reported = {
    id: newId(),
    tenant: 'default',
    kind: 'FAILED',
    source: 'JOB',
    jobId: null,
    pipeline: `orders-${newId()}`,
    target: 'default.public.orders',
    owner: 'layer-12',
    code: 'EXPECTATION_FAILED',
    failureClass: 'PIPELINE_DECISION',
    message: 'An expectation failed.',
    details: {},
    at: new Date(0),
    ...changes,
  };
  await db.query(
    `insert into sluice.failure_report
       (id, tenant, kind, source, job_id, pipeline, target, owner, code, failure_class, message, details)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
    [
      report.id,
      report.tenant,
      report.kind,
      report.source,
      report.jobId,
      report.pipeline,
      report.target,
      report.owner,
      report.code,
      report.failureClass,
      report.message,
      report.details,
    ],
  );
  return report;
}
