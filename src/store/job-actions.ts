import type { JobActions } from '../../escalation/ports.js';
import type { Verdict } from '../../escalation/verdict.js';
import { UserErrors } from '../core/errors.js';
import { isId } from '../core/ids.js';
import { failureOf } from '../jobs/failure.js';
import type { JobQueue } from '../jobs/ports.js';
import { type Pipeline, specAfter } from '../jobs/spec-after.js';
import { decideHeldJob } from './decide-held-job.js';
import { type DiscardDeps, discardEvaluation } from './discard-evaluation.js';
import { type Announcer, type ChangedRow, signalOf } from './job-change.js';
import { readJobEvidence } from './job-evidence.js';
import { lockHeldJob } from './locked-job.js';
import { type Pool, type PoolClient, withTransaction } from './pool.js';
import { readJob } from './read-job.js';
import { pauseTarget, releaseTarget, type Waiting } from './target-pause.js';
import { type Acted, readEffect, takeEffect } from './verdict-effect.js';

export interface JobActionsDeps extends DiscardDeps {
  readonly pool: Pool;
  readonly announcer: Announcer;
  readonly queue: Pick<JobQueue, 'offer'>;
  /** Holds a patched pipeline against its files and its target, as at a launch. @throws SluiceError, UserErrors */
  readonly check: (pipeline: Pipeline) => Promise<void>;
}

interface Changed {
  readonly row: ChangedRow;
  /** Null when the job does not go on. */
  readonly priority: number | null;
}

/**
 * What verdicts do to jobs. The effect, its event and the row that remembers it are one transaction: a process that dies
 * before the commit has done nothing, and one that dies after it has left the answer for whoever asks again.
 */
export function createJobActions(deps: JobActionsDeps): JobActions {
  const { pool, announcer, queue, parsePipeline, check, log } = deps;
  const decide = decideHeldJob(announcer);

  async function carryOut(client: PoolClient, tenant: string, jobId: string, verdict: Verdict): Promise<Changed> {
    const job = await lockHeldJob(client, tenant, jobId);
    const { priority } = job;
    const tell = (what: string) => messageOf(verdict, what);
    switch (verdict.kind) {
      case 'ABORT':
        return { row: await decide.abort(client, jobId, tell('The job ends.')), priority: null };
      case 'PAUSE_TARGET':
        return { row: await decide.remain(client, jobId, tell('Loads into the target wait.')), priority: null };
      case 'RESUME':
        return { row: await decide.resume(client, jobId, tell('The job goes on.')), priority };
      case 'RETRY':
      case 'SKIP_ROWS':
      case 'QUARANTINE_AND_CONTINUE':
      case 'PATCH_SPEC': {
        const changed = specAfter(job.spec, verdict.kind, verdict.patch, parsePipeline);
        await discardEvaluation(deps, client, job, 'decide RESUME or ABORT');
        if (!changed) return { row: await decide.restart(client, jobId, tell('The job begins anew.')), priority };
        const { id: verdictId, kind, agent, patch } = verdict;
        const by = { verdictId, kind, agent, patch };
        const message = tell('The job begins anew with a changed spec.');
        return { row: await decide.restart(client, jobId, message, { changed, by }), priority };
      }
    }
  }

  /** @returns undefined when it was carried out before */
  const once = (tenant: string, jobId: string, verdict: Verdict): Promise<Changed | undefined> =>
    withTransaction(pool, async (client) => {
      // A straggler's COPY may hold what has to go; whoever waits for it too long is asked again.
      await client.query(`set local lock_timeout = '10s'`);
      const taken = await takeEffect(client, tenant, jobId, verdict, { outcome: 'APPLIED' });
      return taken ? carryOut(client, tenant, jobId, verdict) : undefined;
    });

  /**
   * A patch that leads nowhere is told to its author now, while the job is still held. Before the transaction, for it may
   * take long: the spec of a held job does not change but by the verdict that acts on it.
   */
  async function checkPatch(tenant: string, jobId: string, { id, kind, patch }: Verdict): Promise<void> {
    if (kind !== 'PATCH_SPEC' || (await readEffect(pool, id)) !== undefined) return;
    const job = await readJob(pool, tenant, jobId);
    if (job?.state !== 'AWAITING_DECISION') return;
    const changed = specAfter(job.spec, kind, patch, parsePipeline);
    if (changed) await check(changed.pipeline);
  }

  async function refuse(tenant: string, jobId: string, verdict: Verdict, reason: string): Promise<Acted> {
    const failed: Acted = { outcome: 'FAILED', reason };
    if (await takeEffect(pool, tenant, jobId, verdict, failed)) return failed;
    return (await readEffect(pool, verdict.id)) ?? failed;
  }

  /** Without the hint the sweeper offers it a little later. */
  async function offer({ id, priority, last_seq }: Waiting): Promise<void> {
    await queue
      .offer(id, { priority, once: String(last_seq) })
      .catch((error: unknown) =>
        log.warn({ jobId: id, reason: String(error) }, 'a job that may go on was not offered'),
      );
  }

  async function tellOthers({ row, priority }: Changed): Promise<void> {
    announcer.announce(signalOf(row));
    if (priority !== null) await offer({ ...row, priority });
  }

  return {
    async apply(tenant, jobId, verdict) {
      if (!isId(jobId)) return { outcome: 'FAILED', reason: `There is no job ${jobId}.` };
      try {
        await checkPatch(tenant, jobId, verdict);
        const changed = await once(tenant, jobId, verdict);
        if (changed) await tellOthers(changed);
        return changed ? { outcome: 'APPLIED' } : ((await readEffect(pool, verdict.id)) ?? { outcome: 'APPLIED' });
      } catch (thrown) {
        const failure = failureOf(thrown);
        // Asked again, it may work.
        if (failure.failureClass === 'TRANSIENT') throw thrown;
        if (failure.code === 'INTERNAL') log.error({ jobId, verdict: verdict.id, err: thrown }, 'a verdict failed');
        return refuse(tenant, jobId, verdict, thrown instanceof UserErrors ? thrown.message : failure.message);
      }
    },

    pauseTarget: (tenant, target, escalationId) => pauseTarget(pool, tenant, target, escalationId),
    async releaseTarget(tenant, target, escalationId) {
      for (const job of await releaseTarget(pool, tenant, target, escalationId)) await offer(job);
    },
    evidence: (tenant, jobId) => readJobEvidence(pool, tenant, jobId),
  };
}

const MAX_COMMENT = 1_000;

function messageOf({ kind, agent, comment }: Verdict, what: string): string {
  const said = comment === null ? '' : ` ${agent} says: ${comment.slice(0, MAX_COMMENT)}`;
  return `${agent} decided ${kind}. ${what}${said}`;
}
