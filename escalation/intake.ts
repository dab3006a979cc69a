import { SluiceError } from '../src/core/errors.js';
import type { FailureClass } from '../src/core/failure-class.js';
import { derivedId } from '../src/core/ids.js';
import type { Log } from '../src/core/log.js';
import { type Classification, classify } from './classify.js';
import { decideChange, endDecided } from './decide-change.js';
import { ENGINE } from './decision.js';
import type { Escalation } from './escalation.js';
import { buildEvidence } from './evidence.js';
import type { FailureReport } from './failure-report.js';
import { dedupKey } from './policy.js';
import type { EscalationStore, JobActions, PolicyStore, Wake } from './ports.js';
import { redact } from './redact.js';
import { tell, wordsFor } from './tell-change.js';
import { openState, type RoleLookup } from './transition.js';

/** What reports are taken up with. */
export interface IntakeContext {
  readonly escalations: EscalationStore;
  readonly policies: PolicyStore;
  readonly jobActions: JobActions;
  readonly lookup: RoleLookup;
  readonly wake: Wake;
  readonly log: Log;
}

const SIMILAR = 5;
const MAX_TITLE = 200;
/** How often another escalator may be first before the report waits for its next turn. */
const TURNS = 5;

/** Retrying mends it, or the caller has been told: nobody is asked, and a job that waits all the same goes on or ends. */
const UNASKED: Readonly<Partial<Record<FailureClass, 'RETRY' | 'ABORT'>>> = {
  TRANSIENT: 'RETRY',
  INVALID_REQUEST: 'ABORT',
};

/** Takes up one report. When it throws, or the process dies, the report is taken up again: each step does no harm twice. */
export async function takeUp(report: FailureReport, context: IntakeContext): Promise<void> {
  const classification = classify(report);
  if (report.kind === 'RECOVERED') return recover(report, classification, context);
  const unasked = UNASKED[classification.failureClass];
  if (unasked && report.source !== 'PERSON') return letGo(report, unasked, context);
  await openOrFold(report, classification, context);
}

/**
 * Opens an escalation, or counts an occurrence of the open one of the same key.
 * @returns it, or null while the open one is being decided: what is decided covers no further job
 */
export async function openOrFold(
  report: FailureReport,
  classification: Classification,
  context: IntakeContext,
): Promise<Escalation | null> {
  const { escalations, jobActions } = context;
  const { tenant, pipeline, target } = report;
  const key = dedupKey(classification.failureClass, pipeline, target);
  // The same each time that the report is taken up, so that a target paused for it is paused once.
  const id = derivedId(report.id, 'escalation');
  for (let turn = 0; turn < TURNS; turn += 1) {
    const open = await escalations.openByKey(tenant, key);
    if (open?.id === id) return open;
    if (!open) {
      const opened = await openNew(id, report, classification, context);
      if (opened) return opened;
      continue;
    }
    if (target !== null && pausesTarget(classification)) await jobActions.releaseTarget(tenant, target, id);
    if (open.state.status === 'DECIDED') return null;
    if (await askAnew(open, report, context)) continue;
    if (await escalations.occurred(open, report)) {
      await tell(context.wake, context.log, tenant, ['LOG']);
      return escalations.get(tenant, open.id);
    }
  }
  return null;
}

/**
 * Everybody stayed silent, and now it fails once more after the grouping window: the ladder is climbed again. Within
 * the window nobody is asked about what they know. @returns whether somebody changed it, so that it has to be read anew
 */
async function askAnew(open: Escalation, { at }: FailureReport, context: IntakeContext): Promise<boolean> {
  if (open.state.status !== 'HELD') return false;
  const policy = await context.policies.get(open.tenant, open.policyId, open.policyVersion);
  if (!policy || at.getTime() - open.lastOccurredAt.getTime() <= policy.groupWindowMs) return false;
  const cause = { actor: ENGINE, dueAt: null, comment: 'It failed again after the grouping window.' };
  const ladder = { policy, owner: open.owner, lookup: context.lookup };
  const now = await context.escalations.now();
  const change = decideChange(open, { kind: 'ESCALATE', agent: ENGINE }, now, cause, ladder);
  if (change.next.status === 'HELD') return false;
  if (await context.escalations.change(change)) {
    await tell(context.wake, context.log, open.tenant, wordsFor(change));
  }
  return true;
}

/** Nothing more is loaded into a target of which nobody knows whether it is right. */
export const pausesTarget = ({ failureClass }: Pick<Classification, 'failureClass'>): boolean =>
  failureClass === 'DATA_CORRUPTION';

async function openNew(
  id: string,
  report: FailureReport,
  classification: Classification,
  context: IntakeContext,
): Promise<Escalation | null> {
  const { escalations, policies, jobActions } = context;
  const { tenant, pipeline, target, owner } = report;
  const { failureClass } = classification;
  const [policy, similar, job] = await Promise.all([
    policies.find(tenant, failureClass, pipeline),
    escalations.similar(tenant, failureClass, pipeline, SIMILAR),
    aboutJob(report, context),
  ]);
  const evidence = buildEvidence({ report, classification, job, similar });
  // Before it is open: a crash in between leads back here, and not past it.
  if (target !== null && pausesTarget(classification)) await jobActions.pauseTarget(tenant, target, id);
  const ladder = { policy, owner, lookup: context.lookup };
  const at = await escalations.now();
  const { state, effects } = endDecided(openState(ladder, at), at, ladder);
  const title = titleOf(report);
  const opened = await escalations.open({ id, report, title, ...classification, policy, state, effects, evidence });
  if (!opened) return null;
  await tell(context.wake, context.log, tenant, wordsFor({ next: state, effects }));
  return escalations.get(tenant, id);
}

/** Where values of sensitive columns may stand in what the error says, its code has to do. */
function titleOf({ source, pipeline, code, message, settings }: FailureReport): string {
  const what = source === 'JOB' && settings.sensitiveColumns.length > 0 ? code : message;
  const title = String(redact(`${pipeline}: ${what}`))
    .replace(/\s+/g, ' ')
    .trim();
  return title.length <= MAX_TITLE ? title : `${title.slice(0, MAX_TITLE - 1)}…`;
}

/** An escalation without all of its evidence is better than none. */
async function aboutJob(
  { tenant, jobId }: FailureReport,
  { jobActions, log }: IntakeContext,
): Promise<Readonly<Record<string, unknown>> | null> {
  if (jobId === null) return null;
  try {
    return await jobActions.evidence(tenant, jobId);
  } catch (error) {
    log.warn({ jobId, reason: String(error) }, 'evidence of a job could not be gathered');
    return { missing: 'The job could not be read when the escalation opened.' };
  }
}

async function letGo(report: FailureReport, kind: 'RETRY' | 'ABORT', context: IntakeContext): Promise<void> {
  const { id, tenant, jobId, code } = report;
  context.log.info({ report: id, jobId, code }, 'a failure that nobody is asked about');
  if (jobId !== null) {
    const comment = 'Failures of this class are not escalated.';
    const verdict = { id: derivedId(id, 'unasked'), kind, agent: ENGINE, patch: null, comment };
    await context.jobActions.apply(tenant, jobId, verdict);
  }
  await context.escalations.reportDone(id);
}

/** Closes what was open about it, unless other jobs still wait for its verdict. */
async function recover(report: FailureReport, classification: Classification, context: IntakeContext): Promise<void> {
  for (const escalation of await openAbout(report, classification, context)) {
    try {
      await recoverOne(escalation, report, context);
    } catch (error) {
      if (!(error instanceof SluiceError && error.code === 'JOBS_HELD')) throw error;
    }
  }
  await context.escalations.reportDone(report.id);
}

async function openAbout(
  { tenant, jobId, pipeline, target }: FailureReport,
  { failureClass }: Classification,
  { escalations }: IntakeContext,
): Promise<readonly Escalation[]> {
  const open = await escalations.openByKey(tenant, dedupKey(failureClass, pipeline, target));
  if (jobId === null) return open ? [open] : [];
  const about = await escalations.byJob(tenant, jobId);
  const own = about.filter(({ state }) => state.status !== 'RESOLVED');
  // It may have been an occurrence of what another job opened. What a person opened stays for people to close.
  const isOther = open !== null && open.jobId !== null && own.every(({ id }) => id !== open.id);
  return isOther ? [...own, open] : own;
}

async function recoverOne(seen: Escalation, { source }: FailureReport, context: IntakeContext): Promise<void> {
  const { escalations, policies, wake, log } = context;
  const { tenant, id } = seen;
  const actor = source === 'MONITOR' ? 'monitor' : 'job';
  for (let turn = 0; turn < TURNS; turn += 1) {
    const escalation = await escalations.get(tenant, id);
    const policy = escalation && (await policies.get(tenant, escalation.policyId, escalation.policyVersion));
    if (!escalation || !policy) return;
    const ladder = { policy, owner: escalation.owner, lookup: context.lookup };
    const cause = { actor, dueAt: null, comment: 'What failed works again.' };
    const change = decideChange(escalation, { kind: 'RECOVER' }, await escalations.now(), cause, ladder);
    if (change.next === escalation.state) return;
    if (await escalations.change(change)) return tell(wake, log, tenant, wordsFor(change));
  }
}
