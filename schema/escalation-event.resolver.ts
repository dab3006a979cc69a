import { Arg, Ctx, FieldResolver, Resolver, Root, Subscription } from 'type-graphql';
import type { Escalation } from '../escalation/escalation.js';
import type { Agent } from '../escalation/org-chart.js';
import type { LogEntry } from '../escalation/ports.js';
import { SluiceError } from '../src/core/errors.js';
import { isId } from '../src/core/ids.js';
import { AgentType } from './agent.types.js';
import { agentsOf, refuseUnknownAgent } from './agent-roster.js';
import type { GraphqlContext } from './context.js';
import { EscalationEventFilterInput } from './escalation.inputs.js';
import { EscalationType } from './escalation.types.js';
import { EscalationLogEntryType } from './escalation-log.types.js';
import { eventPosition } from './event-position.js';
import { leavableStream } from './leavable-stream.js';
import { LongScalar } from './scalars/long.js';

interface Subscribing {
  readonly args: { readonly filter?: EscalationEventFilterInput | null; readonly afterSeq?: number | bigint | null };
  readonly context: GraphqlContext;
}

/** @throws SluiceError UNKNOWN_AGENT, ESCALATION_NOT_FOUND, INVALID_INPUT before the stream begins */
function watching({ args, context }: Subscribing): AsyncIterableIterator<LogEntry> {
  const { agent, escalationId } = args.filter ?? {};
  const afterSeq = eventPosition(args.afterSeq);
  if (typeof agent === 'string') refuseUnknownAgent(context, agent, ['filter', 'agent']);
  if (typeof escalationId === 'string' && !isId(escalationId))
    throw new SluiceError('ESCALATION_NOT_FOUND', 'There is no escalation with that id.', {
      path: ['filter', 'escalationId'],
    });
  const filter = {
    ...(typeof agent === 'string' && { agent }),
    ...(typeof escalationId === 'string' && { escalationId }),
  };
  return leavableStream((signal) => context.escalations.watch(context.caller.tenant, filter, afterSeq, signal));
}

@Resolver()
export class EscalationEventResolver {
  @Subscription(() => EscalationLogEntryType, {
    description:
      'The log as it is written, without gap or repeat: first the rows behind `afterSeq`, then each new one. Nothing is left out, however slowly you read. Never ends by itself.',
    subscribe: watching,
  })
  escalationEvents(
    @Root() entry: LogEntry,
    @Arg('filter', () => EscalationEventFilterInput, { nullable: true, description: 'Which rows. Default: all.' })
    _filter: EscalationEventFilterInput | null,
    @Arg('afterSeq', () => LongScalar, {
      nullable: true,
      description:
        'Tell the rows after this one, exclusive; 0 for all. Beyond the last: the error CURSOR_INVALID. Default: those from now on.',
    })
    _afterSeq: number | null,
  ): LogEntry {
    return entry;
  }
}

@Resolver(() => EscalationLogEntryType)
export class EscalationLogEntryResolver {
  @FieldResolver(() => [AgentType], { description: 'Who is meant: those who are asked or told.' })
  agents(@Root() { agents }: LogEntry, @Ctx() context: GraphqlContext): Agent[] {
    return agentsOf(context, agents);
  }

  @FieldResolver(() => EscalationType, {
    nullable: true,
    description: 'The escalation as it is now, which may be later than the row; null for rows about a policy.',
  })
  async escalation(
    @Root() { escalationId }: LogEntry,
    @Ctx() { escalations, caller }: GraphqlContext,
  ): Promise<Escalation | null> {
    return escalationId === null ? null : escalations.get(caller.tenant, escalationId);
  }
}
