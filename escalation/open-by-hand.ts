import { SluiceError } from '../src/core/errors.js';
import { isId, newId } from '../src/core/ids.js';
import { classify } from './classify.js';
import type { Escalation } from './escalation.js';
import type { FailureReport } from './failure-report.js';
import { type IntakeContext, openOrFold } from './intake.js';
import { NO_SETTINGS } from './job-settings.js';
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
  await check(caller, input, context);
  const report: FailureReport = {
    ...input,
    id: newId(),
    tenant,
    kind: 'FAILED',
    source: 'PERSON',
    code: 'REPORTED',
    details: { openedBy: caller.agent },
    at: await escalations.now(),
    settings: NO_SETTINGS,
  };
  const classification = classify(report);
  const opened =
    (await openOrFold(report, classification, context)) ??
    (await escalations.openByKey(tenant, dedupKey(classification.failureClass, report.pipeline, report.target)));
  if (opened) return opened;
  throw new SluiceError('UNAVAILABLE', 'The escalation of the same failure is just being closed; try again.');
}

async function check(
  caller: Caller,
  { owner, pipeline, target, message, jobId }: Parameters<EscalationService['open']>[1],
  { chart, jobActions }: IntakeContext & { readonly chart: OrgChart },
): Promise<void> {
  refuseStranger(caller, chart);
  if (!chart.agent(owner)) {
    throw new SluiceError('UNKNOWN_OWNER', `The owner ${owner} is not in the org chart.`, { path: ['owner'] });
  }
  checkText(pipeline, 'pipeline', MAX_NAME);
  if (target !== null) checkText(target, 'target', MAX_NAME);
  checkText(message, 'message', MAX_MESSAGE);
  if (jobId === null) return;
  const job = isId(jobId) ? await jobActions.evidence(caller.tenant, jobId) : null;
  if (!job) throw new SluiceError('JOB_NOT_FOUND', 'There is no job with that id.', { path: ['jobId'] });
}

function checkText(text: string, member: string, most: number): void {
  if (text.trim() !== '' && text.length <= most) return;
  throw new SluiceError('INVALID_INPUT', `From 1 to ${most} characters.`, { path: [member] });
}
