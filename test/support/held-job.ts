import type { Verdict, VerdictKind } from '../../escalation/verdict.js';
import { newId } from '../../src/core/ids.js';
import { createLog } from '../../src/core/log.js';
import { parsePipeline } from '../../src/engine/parse-pipeline.js';
import type { Pipeline } from '../../src/engine/pipeline.js';
import { createStagingArea } from '../../src/jobs/staging-area.js';
import type { Pool } from '../../src/store/pool.js';
import { handQueue } from './hand-queue.js';
import type { Runtime } from './runtime.js';

export const aVerdict = (kind: VerdictKind, changes: Partial<Verdict> = {}): Verdict => ({
  id: newId(),
  kind,
  agent: 'layer-20',
  patch: null,
  comment: null,
  ...changes,
});

interface ReportRow {
  readonly kind: string;
  readonly code: string;
  readonly target: string | null;
}

/** What escalators are told about a job, oldest first. */
export async function reportsOf(pool: Pool, jobId: string): Promise<readonly ReportRow[]> {
  const { rows } = await pool.query<ReportRow>(
    'select kind, code, target from sluice.failure_report where job_id = $1 order by at',
    [jobId],
  );
  return rows;
}

/** Job actions over the stores of a runtime, with a queue in the hands of the test. */
export function actionsOf(runtime: Runtime, check = async (_: Pipeline): Promise<void> => undefined) {
  const queue = handQueue();
  const staging = createStagingArea(runtime.staging);
  return {
    queue,
    actions: runtime.stores.jobActions({ staging, queue, parsePipeline, check, log: createLog('silent') }),
  };
}
