import type { ExpectationOutcome, ReportStore } from '../jobs/stores.js';
import type { Pool, Queryable } from './pool.js';

interface OutcomeRow {
  readonly ordinal: number;
  readonly kind: string;
  readonly description: string;
  readonly severity: ExpectationOutcome['severity'];
  readonly evaluated: bigint;
  readonly failed: bigint;
  readonly status: ExpectationOutcome['status'];
  /** Written by `saveReport` alone. */
  readonly samples: ExpectationOutcome['samples'];
}

function outcomeOf(row: OutcomeRow): ExpectationOutcome {
  const evaluated = Number(row.evaluated);
  const failed = Number(row.failed);
  return { ...row, evaluated, failed, percent: evaluated === 0 ? 0 : (100 * failed) / evaluated };
}

/** Replaces the report of the job; that of an earlier attempt has no meaning any more. */
export async function saveReport(
  db: Queryable,
  tenant: string,
  jobId: string,
  outcomes: readonly ExpectationOutcome[],
): Promise<void> {
  if (outcomes.length === 0) return;
  await db.query(
    `insert into sluice.expectation_result as result
       (job_id, tenant, ordinal, kind, description, severity, evaluated, failed, status, samples)
     select $1, $2, one.ordinal, one.kind, one.description, one.severity, one.evaluated, one.failed, one.status, one.samples
     from jsonb_to_recordset($3) as one (ordinal integer, kind text, description text, severity text,
       evaluated bigint, failed bigint, status text, samples jsonb)
     on conflict (job_id, ordinal) do update set evaluated = excluded.evaluated, failed = excluded.failed,
       status = excluded.status, samples = excluded.samples`,
    [jobId, tenant, JSON.stringify(outcomes)],
  );
}

export function createReportStore(pool: Pool): ReportStore {
  return {
    save: (tenant, jobId, outcomes) => saveReport(pool, tenant, jobId, outcomes),

    async list(tenant, jobId) {
      const { rows } = await pool.query<OutcomeRow>(
        `select ordinal, kind, description, severity, evaluated, failed, status, samples
         from sluice.expectation_result where tenant = $1 and job_id = $2 order by ordinal`,
        [tenant, jobId],
      );
      return rows.map(outcomeOf);
    },
  };
}
