import { Arg, Ctx, Field, FieldResolver, Mutation, ObjectType, Query, Resolver, Root } from 'type-graphql';
import type { Agent } from '../escalation/org-chart.js';
import type { Policy, Target } from '../escalation/policy.js';
import { refuseUnstorable } from '../src/jobs/refuse-unstorable.js';
import { AgentType } from './agent.types.js';
import { agentsOf, refuseUnknownAgent } from './agent-roster.js';
import type { GraphqlContext } from './context.js';
import { SaveEscalationPolicyInput } from './policy.inputs.js';
import { EscalationPolicyType, EscalationTargetType } from './policy.types.js';
import { draftAt, policyDraft, withPaths } from './policy-draft.js';
import { answering, UserErrorType } from './user-error.types.js';

@ObjectType('EscalationPolicyConflict', { description: 'What somebody else has made of a policy meanwhile.' })
class EscalationPolicyConflict {
  @Field(() => EscalationPolicyType, { description: 'The policy as it is now.' })
  current!: Policy;
}

@ObjectType('SaveEscalationPolicyPayload', { description: 'Answer of `saveEscalationPolicy`.' })
class SaveEscalationPolicyPayload {
  @Field(() => EscalationPolicyType, { nullable: true, description: 'The policy; null when it was not saved.' })
  policy!: Policy | null;

  @Field(() => EscalationPolicyConflict, {
    nullable: true,
    description: 'Set with the user error CONFLICT: `expectedVersion` was stale.',
  })
  conflict!: EscalationPolicyConflict | null;

  @Field(() => [UserErrorType], { description: 'Why it was not saved; empty when it was.' })
  userErrors!: UserErrorType[];
}

const NOTHING: Omit<SaveEscalationPolicyPayload, 'userErrors'> = { policy: null, conflict: null };

@Resolver()
export class PolicyResolver {
  @Query(() => [EscalationPolicyType], { description: 'The current version of every policy.' })
  escalationPolicies(@Ctx() { escalations, caller }: GraphqlContext): Promise<readonly Policy[]> {
    return escalations.policies(caller.tenant);
  }

  @Mutation(() => SaveEscalationPolicyPayload, {
    description:
      'Adds a policy, or the next version of one. Escalations that are open go on with the version they began with.',
  })
  async saveEscalationPolicy(
    @Ctx() context: GraphqlContext,
    @Arg('input', () => SaveEscalationPolicyInput, { description: 'The policy.' }) input: SaveEscalationPolicyInput,
  ): Promise<SaveEscalationPolicyPayload> {
    const { agent, expectedVersion, policy } = input;
    const answer = await answering(NOTHING, async () => {
      refuseUnknownAgent(context, agent, ['agent']);
      const saved = await withPaths(draftAt('policy'), async () => {
        const draft = policyDraft(policy);
        refuseUnstorable(draft);
        return context.escalations.savePolicy({ tenant: context.caller.tenant, agent }, draft, expectedVersion);
      });
      return saved.kind === 'DONE'
        ? { policy: saved.policy, conflict: null }
        : { policy: null, conflict: { current: saved.current } };
    });
    if (!answer.conflict) return answer;
    const message = `The policy is at version ${answer.conflict.current.version}, not ${expectedVersion}.`;
    return { ...answer, userErrors: [{ code: 'CONFLICT', message, path: ['expectedVersion'] }] };
  }
}

@Resolver(() => EscalationTargetType)
export class EscalationTargetResolver {
  @FieldResolver(() => AgentType, { nullable: true, description: 'By name; null when a role is set.' })
  agent(@Root() target: Target, @Ctx() context: GraphqlContext): Agent | null {
    return 'agent' in target ? (agentsOf(context, [target.agent])[0] ?? null) : null;
  }
}
