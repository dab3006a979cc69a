import { SluiceError } from '../../core/errors.js';
import { Channel } from './channel.js';
import { JobTail, snapshotOf } from './job-tail.js';
import type { Watched, WatchedDeps } from './watched.js';

/** Events kept for the subscribers of one job: the whole history of nearly every job. */
const LOG_CAPACITY = 256;

/**
 * Follows one job. Its history so far is read once for everybody who asks for it.
 *
 * @throws SluiceError JOB_NOT_FOUND
 */
export async function watchedJob(deps: WatchedDeps, tenant: string, jobId: string): Promise<Watched> {
  const { reader, clock, onError } = deps;
  const job = await reader.job(tenant, jobId);
  if (!job) throw new SluiceError('JOB_NOT_FOUND', 'There is no job with that id.', { path: ['jobId'] });
  const since = Math.max(0, job.lastSeq - LOG_CAPACITY);
  // May go beyond the row just read: events land meanwhile.
  const history = await reader.readAfter(tenant, jobId, since, 2 * LOG_CAPACITY);
  const channel = new Channel(tenant, jobId, LOG_CAPACITY);
  channel.admit(snapshotOf(job, clock.now()), since);
  channel.accept(history);
  const head = channel.heads.get(jobId);
  const tail = new JobTail({
    reader,
    clock,
    tenant,
    jobId,
    lastSeq: head?.lastSeq ?? job.lastSeq,
    latest: head?.latest ?? null,
    deliver: (events) => channel.accept(events),
    onError,
  });
  return {
    channel,
    known: () => new Map([[jobId, tail.lastSeq]]),
    notice(signal) {
      if (signal.jobId === jobId) tail.notice(signal);
    },
    heal(lastSeqs) {
      if ((lastSeqs.get(jobId) ?? 0) <= tail.lastSeq) return 0;
      tail.refresh().catch(onError);
      return 1;
    },
    refresh: () => tail.refresh(),
  };
}
