import { SluiceError } from '../src/core/errors.js';
import { isId } from '../src/core/ids.js';
import { decideChange } from './decide-change.js';
import type { Escalation, EscalationEvent } from './escalation.js';
import type { IntakeContext } from './intake.js';
import type { OrgChart } from './org-chart.js';
import type { Caller, Seen, Written } from './service.js';
import { tell, wordsFor } from './tell-change.js';
import { unknownAgent } from './unknown-agent.js';

export type WriteContext = Pick<IntakeContext, 'escalations' | 'policies' | 'lookup' | 'wake' | 'log'> & {
  readonly chart: OrgChart;
};

/** What an agent says beside what it does. */
const MAX_COMMENT = 10_000;

/**
 * The one way in which agents change an escalation: judged by the state table at the database's time, and stored only
 * on top of the version that the agent has seen.
 * @throws SluiceError ESCALATION_NOT_FOUND, UNKNOWN_AGENT, INVALID_INPUT and what the state table refuses
 */
export async function writeEscalation(
  caller: Caller,
  { id, expectedVersion }: Seen,
  event: EscalationEvent,
  comment: string | null,
  context: WriteContext,
): Promise<Written> {
  const { escalations, policies, lookup, wake, log } = context;
  refuseStranger(caller, context.chart);
  if (comment !== null) checkComment(comment, ['comment']);
  const current = await existing(caller.tenant, id, context);
  if (current.version !== expectedVersion) return { kind: 'CONFLICT', current };
  const policy = await policies.get(caller.tenant, current.policyId, current.policyVersion);
  if (!policy) throw new Error(`policy ${current.policyId} has no version ${current.policyVersion}`);
  const cause = { actor: caller.agent, dueAt: null, comment };
  const ladder = { policy, owner: current.owner, lookup };
  const change = decideChange(current, event, await escalations.now(), cause, ladder);
  if (change.next === current.state) return { kind: 'DONE', escalation: current };
  const escalation = await escalations.change(change);
  if (!escalation) return { kind: 'CONFLICT', current: await existing(caller.tenant, id, context) };
  await tell(wake, log, caller.tenant, wordsFor(change));
  return { kind: 'DONE', escalation };
}

/** @throws SluiceError ESCALATION_NOT_FOUND */
export async function existing(
  tenant: string,
  id: string,
  { escalations }: Pick<WriteContext, 'escalations'>,
): Promise<Escalation> {
  const escalation = isId(id) ? await escalations.get(tenant, id) : null;
  if (escalation) return escalation;
  throw new SluiceError('ESCALATION_NOT_FOUND', 'There is no escalation with that id.', { path: ['id'] });
}

/** @throws SluiceError UNKNOWN_AGENT */
export function refuseStranger({ agent }: Caller, chart: OrgChart): void {
  if (chart.agent(agent)) return;
  throw unknownAgent(agent, ['agent']);
}

/** @throws SluiceError INVALID_INPUT */
export function checkComment(text: string, path: readonly string[]): void {
  if (text.trim() !== '' && text.length <= MAX_COMMENT) return;
  throw new SluiceError('INVALID_INPUT', `From 1 to ${MAX_COMMENT} characters.`, { path });
}
