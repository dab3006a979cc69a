import { SluiceError } from '../src/core/errors.js';
import { isId, newId } from '../src/core/ids.js';
import { classify } from './classify.js';
import type { Escalation } from './escalation.js';
import type { FailureReport } from './failure-report.js';
import { type IntakeContext, openOrFold } from './intake.js';
import { type JobSettings, NO_SETTINGS, settingsOfSpec } from './job-settings.js';
import type { OrgChart } from './org-chart.js';
import { dedupKey } from './policy.js';
import type { Caller, EscalationService } from './service.js';
import { refuseStranger } from './write-escalation.js';

const MAX_NAME = 200;
const MAX_MESSAGE = 10_000;

/**
 * Opens an escalation because somebody asks for it, in the way of every other one, or counts an occurrence.
 * @throws SluiceError UNKNOWN_AGENT, UNKNOWN_OWNER, JOB_NOT_FOUND, INVALID_INPUT
 */
export async function openByHand(
  caller: Caller,
  input: Parameters<EscalationService['open']>[1],
  context: IntakeContext & { readonly chart: OrgChart },
): Promise<Escalation> {
  const { escalations } = context;
  const { tenant } = caller;
  const settings = await check(caller, input, context);
  const report: FailureReport = {
    ...input,
    id: newId(),
    tenant,
    kind: 'FAILED',
    source: 'PERSON',
    code: 'REPORTED',
    details: { openedBy: caller.agent },
    at: await escalations.now(),
    settings,
  };
  const classification = classify(report);
  const opened =
    (await openOrFold(report, classification, context)) ??
    (await escalations.openByKey(tenant, dedupKey(classification.failureClass, report.pipeline, report.target)));
  if (opened) return opened;
  throw new SluiceError('UNAVAILABLE', 'The escalation of the same failure is just being closed; try again.');
}

/** @returns what the job says that it is about */
async function check(
  caller: Caller,
  { owner, pipeline, target, message, jobId }: Parameters<EscalationService['open']>[1],
  { chart, jobActions }: IntakeContext & { readonly chart: OrgChart },
): Promise<JobSettings> {
  refuseStranger(caller, chart);
  if (!chart.agent(owner)) {
    throw new SluiceError('UNKNOWN_OWNER', `The owner ${owner} is not in the org chart.`, { path: ['owner'] });
  }
  checkText(pipeline, 'pipeline', MAX_NAME);
  if (target !== null) checkText(target, 'target', MAX_NAME);
  checkText(message, 'message', MAX_MESSAGE);
  if (jobId === null) return NO_SETTINGS;
  const job = isId(jobId) ? await jobActions.evidence(caller.tenant, jobId) : null;
  if (!job) throw new SluiceError('JOB_NOT_FOUND', 'There is no job with that id.', { path: ['jobId'] });
  return settingsOfSpec(job.spec);
}

function checkText(text: string, member: string, most: number): void {
  if (text.trim() !== '' && text.length <= most) return;
  throw new SluiceError('INVALID_INPUT', `From 1 to ${most} characters.`, { path: [member] });
}
