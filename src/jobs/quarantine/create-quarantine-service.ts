import { SluiceError } from '../../core/errors.js';
import type { Job } from '../job.js';
import { createTurnstile } from '../turnstile.js';
import type { QuarantineServiceDeps } from './deps.js';
import { discardRows } from './discard-rows.js';
import { fixRows } from './fix-rows.js';
import { launchReplay } from './launch-replay.js';
import { quarantineLines } from './lines.js';
import type { QuarantineService } from './ports.js';

/** Each is an engine session with its memory, or two. */
const FIXES_AT_ONCE = 2;

export function createQuarantineService(deps: QuarantineServiceDeps): QuarantineService {
  const { jobs, quarantine } = deps;
  const dryRun = createTurnstile(FIXES_AT_ONCE);

  /** @throws SluiceError JOB_NOT_FOUND */
  async function requireJob(tenant: string, jobId: string): Promise<Job> {
    const job = await jobs.get(tenant, jobId);
    if (job === null) throw new SluiceError('JOB_NOT_FOUND', `There is no job ${jobId}.`, { path: ['jobId'] });
    return job;
  }

  return {
    async list({ tenant }, filter, page) {
      await requireJob(tenant, filter.jobId);
      return quarantine.list(tenant, filter, page);
    },
    async groups({ tenant }, filter, first) {
      await requireJob(tenant, filter.jobId);
      return quarantine.groups(tenant, filter, first);
    },
    async download({ tenant }, filter) {
      await requireJob(tenant, filter.jobId);
      return quarantineLines(quarantine, tenant, filter);
    },
    async fix(caller, input) {
      const job = await requireJob(caller.tenant, input.jobId);
      return dryRun(() => fixRows(deps, caller, job, input));
    },
    async discard(caller, filter, reason) {
      return discardRows(deps, caller, await requireJob(caller.tenant, filter.jobId), filter, reason);
    },
    async replay({ tenant }, request) {
      return launchReplay(deps, await requireJob(tenant, request.filter.jobId), request);
    },
  };
}
