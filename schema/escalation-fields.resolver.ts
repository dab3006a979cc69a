import { Ctx, FieldResolver, Int, Resolver, Root } from 'type-graphql';
import type { Escalation, EscalationStatus } from '../escalation/escalation.js';
import { verdictsLeft } from '../escalation/ladder.js';
import type { Agent } from '../escalation/org-chart.js';
import type { Policy } from '../escalation/policy.js';
import type { LogEntry } from '../escalation/ports.js';
import type { Verdict, VerdictKind } from '../escalation/verdict.js';
import type { Job } from '../src/jobs/job.js';
import { AgentType } from './agent.types.js';
import { agentsOf } from './agent-roster.js';
import type { GraphqlContext } from './context.js';
import { EscalationStatusEnum, VerdictKindEnum } from './escalation.enums.js';
import { EscalationType, VerdictType } from './escalation.types.js';
import { EscalationLogEntryType } from './escalation-log.types.js';
import { JobType } from './job.types.js';
import { EscalationPolicyType } from './policy.types.js';
import { DateTimeScalar } from './scalars/date-time.js';
import { JsonScalar } from './scalars/json.js';

const pinnedPolicy = (context: GraphqlContext, { policyId, policyVersion }: Escalation): Promise<Policy | null> =>
  context.escalations.policy(context.caller.tenant, policyId, policyVersion);

/** What others know of an escalation, and its state. */
@Resolver(() => EscalationType)
export class EscalationFieldsResolver {
  @FieldResolver(() => EscalationStatusEnum, { description: 'Where it stands.' })
  status(@Root() { state }: Escalation): EscalationStatus {
    return state.status;
  }

  @FieldResolver(() => Int, { description: "Index of the policy's step that is asked, from 0." })
  step(@Root() { state }: Escalation): number {
    return state.step;
  }

  @FieldResolver(() => Int, {
    description: 'Grows whenever somebody has to be asked anew; nobody is notified twice within one round and step.',
  })
  round(@Root() { state }: Escalation): number {
    return state.round;
  }

  @FieldResolver(() => DateTimeScalar, {
    nullable: true,
    description: 'When something happens by itself, such as the next step; null when nothing does.',
  })
  dueAt(@Root() { state }: Escalation): Date | null {
    return state.dueAt;
  }

  @FieldResolver(() => AgentType, {
    nullable: true,
    description: 'Who answers for what failed; null when the org chart no longer has that agent.',
  })
  owner(@Root() { owner }: Escalation, @Ctx() context: GraphqlContext): Agent | null {
    return agentsOf(context, [owner])[0] ?? null;
  }

  @FieldResolver(() => [AgentType], { description: 'Who is asked now.' })
  asked(@Root() { state }: Escalation, @Ctx() context: GraphqlContext): Agent[] {
    return agentsOf(context, state.asked);
  }

  @FieldResolver(() => AgentType, { nullable: true, description: 'Who acknowledged or claimed it; null when nobody.' })
  holder(@Root() { state }: Escalation, @Ctx() context: GraphqlContext): Agent | null {
    return state.holder === null ? null : (agentsOf(context, [state.holder])[0] ?? null);
  }

  @FieldResolver(() => VerdictType, {
    nullable: true,
    description: 'The verdict that acts on the job, or did; null before there is one.',
  })
  verdict(@Root() { state }: Escalation): Verdict | null {
    return state.verdict;
  }

  @FieldResolver(() => [VerdictKindEnum], {
    description: 'What may be decided now: what the step allows, without what has failed there twice.',
  })
  async allowedVerdicts(
    @Root() escalation: Escalation,
    @Ctx() context: GraphqlContext,
  ): Promise<readonly VerdictKind[]> {
    const { state, owner } = escalation;
    if (state.status === 'RESOLVED' || state.status === 'DECIDED') return [];
    const policy = await pinnedPolicy(context, escalation);
    // The verdicts of a step do not depend on who stands behind it.
    return policy ? verdictsLeft(state, { policy, owner, lookup: () => [] }) : [];
  }

  @FieldResolver(() => EscalationPolicyType, {
    nullable: true,
    description: 'The policy, in the version that the escalation began with.',
  })
  policy(@Root() escalation: Escalation, @Ctx() context: GraphqlContext): Promise<Policy | null> {
    return pinnedPolicy(context, escalation);
  }

  @FieldResolver(() => JobType, {
    nullable: true,
    description: 'The held job; null for escalations of monitors and people.',
  })
  async job(@Root() { jobId }: Escalation, @Ctx() { jobs, caller }: GraphqlContext): Promise<Job | null> {
    return jobId === null ? null : jobs.get(caller, jobId);
  }

  @FieldResolver(() => JsonScalar, {
    nullable: true,
    description:
      'What there is to decide by: failing rows, stage, SQL with its literals left out, error chain, counters, config hash, recent events, similar escalations and the verdicts that worked. Capped in size, secrets removed.',
  })
  async evidence(@Root() escalation: Escalation, @Ctx() { escalations, caller }: GraphqlContext): Promise<unknown> {
    return (await escalations.evidence(caller.tenant, escalation))?.bundle ?? null;
  }

  @FieldResolver(() => [EscalationLogEntryType], { description: 'All that happened to it, oldest first.' })
  log(@Root() { id }: Escalation, @Ctx() { escalations, caller }: GraphqlContext): Promise<readonly LogEntry[]> {
    return escalations.log(caller.tenant, id);
  }
}

@Resolver(() => VerdictType)
export class VerdictResolver {
  @FieldResolver(() => AgentType, { nullable: true, description: 'Who decided; null when it is no longer there.' })
  agent(@Root() { agent }: Verdict, @Ctx() context: GraphqlContext): Agent | null {
    return agentsOf(context, [agent])[0] ?? null;
  }
}

@Resolver(() => JobType)
export class JobEscalationsResolver {
  @FieldResolver(() => [EscalationType], {
    description: 'Escalations about the job, open ones first, then the newest first.',
  })
  escalations(@Root() { id }: Job, @Ctx() { escalations, caller }: GraphqlContext): Promise<readonly Escalation[]> {
    return escalations.byJob(caller.tenant, id);
  }
}
