import { Arg, Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';
import type { Agent } from '../escalation/org-chart.js';
import type { SimulatedEvent, SimulateInput, Simulation } from '../escalation/service.js';
import { SluiceError } from '../src/core/errors.js';
import { AgentType } from './agent.types.js';
import { agentsOf, refuseUnknownAgent } from './agent-roster.js';
import type { GraphqlContext } from './context.js';
import {
  SimulatedEventType,
  SimulateEscalationInput,
  SimulateEscalationPayload,
} from './escalation-simulation.types.js';
import { policyDraft, withDraftPaths } from './policy-draft.js';
import { answering } from './user-error.types.js';

@Resolver()
export class EscalationSimulationResolver {
  @Query(() => SimulateEscalationPayload, {
    description: 'Climbs the ladder of a policy without waiting, asking nobody and storing nothing.',
  })
  simulateEscalation(
    @Ctx() context: GraphqlContext,
    @Arg('input', () => SimulateEscalationInput, { description: 'The failure.' }) input: SimulateEscalationInput,
  ): Promise<SimulateEscalationPayload> {
    const { escalations, caller } = context;
    return answering<{ simulation: Simulation | null }>({ simulation: null }, async () => {
      const { policyId, draft, owner } = input;
      refuseUnknownAgent(context, owner, ['owner']);
      const behaviour = behaviourOf(context, input);
      if (typeof policyId === 'string' && !draft)
        return {
          simulation: await escalations.simulate(caller.tenant, { owner, behaviour, policy: { id: policyId } }),
        };
      if (draft && typeof policyId !== 'string') {
        const simulate = async () =>
          escalations.simulate(caller.tenant, { owner, behaviour, policy: { draft: policyDraft(draft) } });
        return { simulation: await withDraftPaths('draft', simulate) };
      }
      throw new SluiceError('EXACTLY_ONE_MEMBER', 'Set exactly one of `policyId` and `draft`.');
    });
  }
}

function behaviourOf(context: GraphqlContext, { behaviour }: SimulateEscalationInput): SimulateInput['behaviour'] {
  return behaviour.map(({ agent, does, after, verdict }, i) => {
    refuseUnknownAgent(context, agent, ['behaviour', i, 'agent']);
    return { agent, does, afterMs: after, ...(verdict && { verdict }) };
  });
}

@Resolver(() => SimulatedEventType)
export class SimulatedEventResolver {
  @FieldResolver(() => [AgentType], { description: 'Who is asked or told.' })
  agents(@Root() { agents }: SimulatedEvent, @Ctx() context: GraphqlContext): Agent[] {
    return agentsOf(context, agents);
  }
}
