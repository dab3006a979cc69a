import type { Caller, Seen, Written } from '../escalation/service.js';
import { SluiceError } from '../src/core/errors.js';
import { isId } from '../src/core/ids.js';
import { refuseUnstorable } from '../src/jobs/refuse-unstorable.js';
import { refuseUnknownAgent } from './agent-roster.js';
import type { GraphqlContext } from './context.js';
import type { EscalationWriteInput } from './escalation.inputs.js';
import type { EscalationPayload } from './escalation.types.js';
import { answering } from './user-error.types.js';

type Answer = Omit<EscalationPayload, 'userErrors'>;
const NOTHING: Answer = { escalation: null, conflict: null };

/**
 * The agent in whose name a write happens: the input names it, within the tenant of the token.
 * @throws SluiceError UNKNOWN_AGENT
 */
export function actingAgent(context: GraphqlContext, agent: string): Caller {
  refuseUnknownAgent(context, agent, ['agent']);
  return { tenant: context.caller.tenant, agent };
}

/** What is no id at all cannot be asked of the database. @throws SluiceError ESCALATION_NOT_FOUND */
export function refuseNoId(id: string): void {
  if (!isId(id))
    throw new SluiceError('ESCALATION_NOT_FOUND', 'There is no escalation with that id.', { path: ['id'] });
}

/** Answers a write that names the version it has seen; a stale one is CONFLICT with what is there now. */
export async function writing(
  context: GraphqlContext,
  input: EscalationWriteInput,
  work: (caller: Caller, seen: Seen) => Promise<Written>,
): Promise<EscalationPayload> {
  const { id, expectedVersion, agent } = input;
  const answer = await answering(NOTHING, async (): Promise<Answer> => {
    const caller = actingAgent(context, agent);
    refuseNoId(id);
    refuseUnstorable(input);
    const written = await work(caller, { id, expectedVersion });
    return written.kind === 'DONE'
      ? { escalation: written.escalation, conflict: null }
      : { escalation: null, conflict: { current: written.current } };
  });
  if (!answer.conflict) return answer;
  const { version } = answer.conflict.current;
  const message = `The escalation is at version ${version}, not ${expectedVersion}; \`conflict\` holds what it is now.`;
  return { ...answer, userErrors: [{ code: 'CONFLICT', message, path: ['expectedVersion'] }] };
}

/** Answers a write that needs no version. */
export function writingAnyVersion(
  context: GraphqlContext,
  input: { readonly agent: string },
  work: (caller: Caller) => Promise<EscalationPayload['escalation']>,
): Promise<EscalationPayload> {
  return answering(NOTHING, async (): Promise<Answer> => {
    const caller = actingAgent(context, input.agent);
    refuseUnstorable(input);
    return { escalation: await work(caller), conflict: null };
  });
}
