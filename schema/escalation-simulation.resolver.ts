import { Arg, Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';
import type { Agent } from '../escalation/org-chart.js';
import type { SimulatedEvent, SimulateInput, Simulation } from '../escalation/service.js';
import { type InputPath, SluiceError } from '../src/core/errors.js';
import { AgentType } from './agent.types.js';
import { agentsOf, refuseUnknownAgent } from './agent-roster.js';
import type { GraphqlContext } from './context.js';
import {
  SimulatedEventType,
  SimulateEscalationInput,
  SimulateEscalationPayload,
} from './escalation-simulation.types.js';
import { draftAt, policyDraft, withPaths } from './policy-draft.js';
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
      const behaviour = behaviourOf(context, input);
      const simulate = (policy: SimulateInput['policy']) =>
        escalations.simulate(caller.tenant, { owner, behaviour, policy });
      if (typeof policyId === 'string' && !draft)
        return { simulation: await withPaths(storedAt, () => simulate({ id: policyId })) };
      if (draft && typeof policyId !== 'string')
        return { simulation: await withPaths(draftAt('draft'), async () => simulate({ draft: policyDraft(draft) })) };
      throw new SluiceError('EXACTLY_ONE_MEMBER', 'Set exactly one of `policyId` and `draft`.');
    });
  }
}

const storedAt = (path: InputPath): InputPath => (path[0] === 'policy' ? ['policyId'] : path);

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
