import { SluiceError } from '../../core/errors.js';
import type { Job } from '../job.js';
import type { QuarantineServiceDeps } from './deps.js';
import { launchReplay } from './launch-replay.js';
import { quarantineLines } from './lines.js';
import type { QuarantineService } from './ports.js';

export function createQuarantineService(deps: QuarantineServiceDeps): QuarantineService {
  const { jobs, quarantine } = deps;

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
    async replay({ tenant }, request) {
      return launchReplay(deps, await requireJob(tenant, request.filter.jobId), request);
    },
  };
}
