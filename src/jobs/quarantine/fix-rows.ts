import { sinkClientOf } from '../check-launch.js';
import type { Job } from '../job.js';
import type { Caller } from '../job-service.js';
import { quarantiningFailures, reparsed } from '../spec-changes.js';
import type { QuarantineServiceDeps } from './deps.js';
import { parseFix } from './parse-fix.js';
import type { FixAnswer, FixInput } from './ports.js';
import { refuseOtherStatuses } from './refuse-other-statuses.js';
import { overQuarantine } from './replay-spec.js';
import { requireColumns } from './require-columns.js';

/** The caller waits for the answer. */
const MOST_BY_EXPRESSION = 100_000;

/**
 * Gives rows other values. The pipeline of the job judges them as one load, with every row that fails set aside: its
 * steps and expectations over all rows see the fixed ones alone.
 */
export async function fixRows(
  { quarantineChanges, connections, engine, parsePipeline, ...deps }: QuarantineServiceDeps,
  { name: by, tenant }: Caller,
  job: Job,
  input: FixInput,
): Promise<FixAnswer> {
  refuseOtherStatuses(input.filter?.statuses, 'fixed');
  const columns = await requireColumns({ quarantineChanges }, job);
  const { fix, filter } = parseFix(input, columns);
  const pipeline = reparsed(quarantiningFailures(overQuarantine(job.id, columns, job.spec)), parsePipeline);
  let fixed = 0;
  const outcome = await engine.tryFix({
    pipeline,
    columns,
    fix,
    layRows: (path) => quarantineChanges.layRows(tenant, filter, path, MOST_BY_EXPRESSION),
    withSinkClient: sinkClientOf(connections, pipeline),
    keep: input.isDryRun
      ? null
      : async (path) => {
          fixed = await quarantineChanges.storeFixed(tenant, job.id, by, path);
        },
  });
  if (!input.isDryRun) deps.log.info({ jobId: job.id, by, rows: outcome.rows, fixed }, 'quarantined rows were fixed');
  return { ...outcome, fixed };
}
