import { derivedId } from '../src/core/ids.js';
import { decideChange } from './decide-change.js';
import { ENGINE } from './decision.js';
import type { Escalation, EscalationEvent } from './escalation.js';
import type { IntakeContext } from './intake.js';
import { tell, wordsFor } from './tell-change.js';
import type { Verdict } from './verdict.js';

export type ApplyContext = Pick<IntakeContext, 'escalations' | 'policies' | 'jobActions' | 'lookup' | 'wake' | 'log'>;

const BATCH = 100;
const TURNS = 5;

/**
 * Carries out the verdicts that have not acted yet, and releases targets whose escalation is over. Whoever dies in
 * between is followed by somebody who does it again: each act is stored once under its verdict's id, and answers the
 * same outcome. @returns how many verdicts acted
 */
export async function applyVerdicts(context: ApplyContext): Promise<number> {
  let acted = 0;
  for (const escalation of await context.escalations.decided(BATCH)) {
    try {
      if (await applyVerdict(escalation, context)) acted += 1;
    } catch (error) {
      context.log.warn({ escalation: escalation.id, reason: String(error) }, 'a verdict acts later');
    }
  }
  for (const { tenant, target, escalationId } of await context.escalations.pausesLeft(BATCH)) {
    await context.jobActions.releaseTarget(tenant, target, escalationId);
  }
  return acted;
}

async function applyVerdict(escalation: Escalation, context: ApplyContext): Promise<boolean> {
  const { verdict } = escalation.state;
  if (verdict === null) return false;
  const reasons = await act(escalation, verdict, context);
  const event: EscalationEvent =
    reasons.length === 0 ? { kind: 'APPLIED' } : { kind: 'FAILED', reason: reasons.join('; ') };
  return writeBack(escalation, verdict, event, context);
}

/** @returns why it could not act, for each job that it could not act on */
async function act(
  { id, tenant, jobId, target }: Escalation,
  verdict: Verdict,
  { escalations, jobActions }: ApplyContext,
): Promise<readonly string[]> {
  if (verdict.kind === 'PAUSE_TARGET') {
    if (target === null) return ['There is no target that could be paused.'];
    await jobActions.pauseTarget(tenant, target, id);
  }
  const held = await escalations.heldJobs(tenant, id);
  // None is held: all are released, by this very verdict before a crash perhaps, or the job says why it cannot be.
  const jobs = held.length > 0 || jobId === null ? held : [jobId];
  const reasons: string[] = [];
  for (const job of jobs) {
    // A verdict acts once on each of them.
    const own = job === jobId ? verdict : { ...verdict, id: derivedId(verdict.id, job) };
    const acted = await jobActions.apply(tenant, job, own);
    if (acted.outcome === 'FAILED') reasons.push(jobs.length === 1 ? acted.reason : `${job}: ${acted.reason}`);
  }
  return reasons;
}

async function writeBack(
  decided: Escalation,
  verdict: Verdict,
  event: EscalationEvent,
  context: ApplyContext,
): Promise<boolean> {
  const { escalations, policies, lookup, wake, log } = context;
  const { id, tenant, policyId, policyVersion, owner } = decided;
  const policy = await policies.get(tenant, policyId, policyVersion);
  if (!policy) throw new Error(`policy ${policyId} has no version ${policyVersion}`);
  for (let turn = 0; turn < TURNS; turn += 1) {
    const escalation = turn === 0 ? decided : await escalations.get(tenant, id);
    // Somebody else carried it out at the same time, with the same outcome.
    if (escalation?.state.status !== 'DECIDED' || escalation.state.verdict?.id !== verdict.id) return false;
    const at = await escalations.now();
    const comment = event.kind === 'FAILED' ? event.reason : null;
    const cause = { actor: ENGINE, dueAt: null, comment };
    const change = decideChange(escalation, event, at, cause, { policy, owner, lookup });
    if (await escalations.change(change)) {
      await tell(wake, log, tenant, wordsFor(change));
      return true;
    }
  }
  return false;
}
