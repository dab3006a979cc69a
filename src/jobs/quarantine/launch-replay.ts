import { SluiceError, UserErrors } from '../../core/errors.js';
import { newId } from '../../core/ids.js';
import type { Pipeline } from '../../engine/pipeline.js';
import { checkLaunch, offerLaunched } from '../check-launch.js';
import type { Job } from '../job.js';
import { parseLaunch, specHashOf } from '../parse-launch.js';
import { refuseUnstorable } from '../refuse-unstorable.js';
import { reparsed } from '../spec-changes.js';
import type { QuarantineServiceDeps } from './deps.js';
import type { LaunchedReplay, ReplayRequest } from './ports.js';
import { refuseOtherStatuses } from './refuse-other-statuses.js';
import { replaySpec } from './replay-spec.js';
import { requireColumns } from './require-columns.js';

const REPLAYABLE = ['OPEN', 'FIXED'] as const;

/** Checks a replay like a launch, claims its rows and offers it. */
export async function launchReplay(
  deps: QuarantineServiceDeps,
  origin: Job,
  { filter, specPatch, idempotencyKey: givenKey }: ReplayRequest,
): Promise<LaunchedReplay> {
  const { jobs, quarantineChanges } = deps;
  refuseOtherStatuses(filter.statuses, 'replayed');
  const { name, owner, priority, tenant } = origin;
  const { idempotencyKey } = parseLaunch({ name, owner, priority, idempotencyKey: givenKey, pipeline: null });
  const identity = { tenant, kind: origin.kind, idempotencyKey } as const;
  const specHash = specHashOf({ replayOf: filter, specPatch });
  // Before the check: the first answer stands.
  const first = await jobs.replay({ ...identity, specHash });
  if (first !== null) return { job: first, replayed: true, rows: await quarantineChanges.countReplayed(first.id) };
  const columns = await requireColumns(deps, origin);
  const pipeline = parsed(deps, replaySpec(origin, columns, specPatch), specPatch !== null);
  await checkLaunch(deps, pipeline).catch((error: unknown) => {
    throw specPatch === null ? error : underPatch(error);
  });
  const { maxAttempts, timeoutMs } = pipeline.options;
  const statuses = filter.statuses ?? (specPatch === null ? ['FIXED'] : REPLAYABLE);
  const launched = await quarantineChanges.launchReplay(
    {
      ...identity,
      id: newId(),
      name,
      owner,
      spec: pipeline.json,
      specHash,
      priority,
      maxAttempts,
      timeoutMs,
      replayOf: origin.id,
    },
    { ...filter, statuses },
  );
  if (!launched.replayed) await offerLaunched(deps, launched.job);
  return launched;
}

function parsed({ parsePipeline }: QuarantineServiceDeps, spec: object, isPatched: boolean): Pipeline {
  try {
    refuseUnstorable(spec);
    return reparsed(spec, parsePipeline);
  } catch (error) {
    throw isPatched ? underPatch(error) : error;
  }
}

/** Mistakes of a patched spec are the caller's; their paths are those of the patch as far as it goes. */
function underPatch(error: unknown): unknown {
  if (error instanceof UserErrors) {
    const [first, ...rest] = error.errors;
    return new UserErrors([first.under('specPatch'), ...rest.map((one) => one.under('specPatch'))]);
  }
  return error instanceof SluiceError && error.isUserError ? error.under('specPatch') : error;
}
