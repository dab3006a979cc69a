import { Arg, Ctx, Field, Int, Mutation, ObjectType, Resolver } from 'type-graphql';
import { SluiceError } from '../src/core/errors.js';
import { refuseUnknownAgent } from './agent-roster.js';
import type { GraphqlContext } from './context.js';
import { EscalationPayload } from './escalation.types.js';
import {
  AcknowledgeEscalationInput,
  ClaimEscalationInput,
  CommentEscalationInput,
  DeclineEscalationInput,
  EscalateInput,
  OpenEscalationInput,
  ReassignEscalationInput,
  RedeliverNotificationsInput,
  ReleaseClaimInput,
  RenewClaimInput,
  ReopenEscalationInput,
  ResolveEscalationInput,
  SnoozeEscalationInput,
  SubmitVerdictInput,
} from './escalation-write.inputs.js';
import { actingAgent, refuseNoId, writing, writingAnyVersion } from './escalation-write.js';
import { storable } from './plain-pipeline.js';
import { answering, UserErrorType } from './user-error.types.js';

const INPUT = { description: 'Which escalation, who acts, and how.' };

@ObjectType('RedeliverNotificationsPayload', { description: 'Answer of `redeliverNotifications`.' })
class RedeliverNotificationsPayload {
  @Field(() => Int, { description: 'How many notifications start over; those that were delivered do not.' })
  redelivered!: number;

  @Field(() => [UserErrorType], { description: 'Why it was refused; empty when it was done.' })
  userErrors!: UserErrorType[];
}

@Resolver()
export class EscalationWriteResolver {
  @Mutation(() => EscalationPayload, {
    description: "Says that an agent is on it: the next step waits for the policy's `ackTimeout`.",
  })
  acknowledgeEscalation(
    @Ctx() context: GraphqlContext,
    @Arg('input', () => AcknowledgeEscalationInput, INPUT) input: AcknowledgeEscalationInput,
  ): Promise<EscalationPayload> {
    return writing(context, input, (caller, seen) => context.escalations.acknowledge(caller, seen));
  }

  @Mutation(() => EscalationPayload, {
    description: 'Takes it for one agent alone, for a while; others are refused with NOT_ASKED.',
  })
  claimEscalation(
    @Ctx() context: GraphqlContext,
    @Arg('input', () => ClaimEscalationInput, INPUT) input: ClaimEscalationInput,
  ): Promise<EscalationPayload> {
    return writing(context, input, (caller, seen) => context.escalations.claim(caller, seen, input.for ?? null));
  }

  @Mutation(() => EscalationPayload, {
    description: 'Makes a claim last longer. One that has run out is NOT_ASKED: claim again.',
  })
  renewClaim(
    @Ctx() context: GraphqlContext,
    @Arg('input', () => RenewClaimInput, INPUT) input: RenewClaimInput,
  ): Promise<EscalationPayload> {
    return writing(context, input, (caller, seen) => context.escalations.renewClaim(caller, seen, input.for ?? null));
  }

  @Mutation(() => EscalationPayload, { description: 'Gives a claim back; the agents of the step are asked again.' })
  releaseClaim(
    @Ctx() context: GraphqlContext,
    @Arg('input', () => ReleaseClaimInput, INPUT) input: ReleaseClaimInput,
  ): Promise<EscalationPayload> {
    return writing(context, input, (caller, seen) => context.escalations.releaseClaim(caller, seen));
  }

  @Mutation(() => EscalationPayload, {
    description: 'Says that an agent cannot decide: when nobody else is asked, the next step begins at once.',
  })
  declineEscalation(
    @Ctx() context: GraphqlContext,
    @Arg('input', () => DeclineEscalationInput, INPUT) input: DeclineEscalationInput,
  ): Promise<EscalationPayload> {
    return writing(context, input, (caller, seen) => context.escalations.decline(caller, seen, input.comment ?? null));
  }

  @Mutation(() => EscalationPayload, {
    description: 'Decides about the job. The verdict acts on it exactly once; how that went is in the `log`.',
  })
  submitVerdict(
    @Ctx() context: GraphqlContext,
    @Arg('input', () => SubmitVerdictInput, INPUT) input: SubmitVerdictInput,
  ): Promise<EscalationPayload> {
    return writing(context, input, (caller, seen) => {
      const { kind, patch, comment } = input;
      const verdict = { kind, patch: asPatch(patch), comment: comment ?? null };
      return context.escalations.submitVerdict(caller, seen, verdict);
    });
  }

  @Mutation(() => EscalationPayload, { description: 'Goes to the next step at once.' })
  escalate(
    @Ctx() context: GraphqlContext,
    @Arg('input', () => EscalateInput, INPUT) input: EscalateInput,
  ): Promise<EscalationPayload> {
    return writing(context, input, (caller, seen) => context.escalations.escalate(caller, seen, input.comment ?? null));
  }

  @Mutation(() => EscalationPayload, { description: 'Keeps it quiet for a while; then the same step is asked again.' })
  snoozeEscalation(
    @Ctx() context: GraphqlContext,
    @Arg('input', () => SnoozeEscalationInput, INPUT) input: SnoozeEscalationInput,
  ): Promise<EscalationPayload> {
    return writing(context, input, (caller, seen) => context.escalations.snooze(caller, seen, input.until));
  }

  @Mutation(() => EscalationPayload, { description: 'Asks another agent instead, within the same step.' })
  reassignEscalation(
    @Ctx() context: GraphqlContext,
    @Arg('input', () => ReassignEscalationInput, INPUT) input: ReassignEscalationInput,
  ): Promise<EscalationPayload> {
    return writing(context, input, (caller, seen) => {
      refuseUnknownAgent(context, input.to, ['to']);
      return context.escalations.reassign(caller, seen, input.to);
    });
  }

  @Mutation(() => EscalationPayload, { description: 'Adds words to the log.' })
  commentEscalation(
    @Ctx() context: GraphqlContext,
    @Arg('input', () => CommentEscalationInput, INPUT) input: CommentEscalationInput,
  ): Promise<EscalationPayload> {
    return writingAnyVersion(context, input, (caller) => {
      refuseNoId(input.id);
      return context.escalations.comment(caller, input.id, input.text);
    });
  }

  @Mutation(() => EscalationPayload, {
    description:
      'Closes it without a verdict. JOBS_HELD while jobs wait for its decision: submit a verdict, or cancel them.',
  })
  resolveEscalation(
    @Ctx() context: GraphqlContext,
    @Arg('input', () => ResolveEscalationInput, INPUT) input: ResolveEscalationInput,
  ): Promise<EscalationPayload> {
    return writing(context, input, (caller, seen) => context.escalations.resolve(caller, seen, input.comment ?? null));
  }

  @Mutation(() => EscalationPayload, { description: 'Opens a resolved one again, from the first step on.' })
  reopenEscalation(
    @Ctx() context: GraphqlContext,
    @Arg('input', () => ReopenEscalationInput, INPUT) input: ReopenEscalationInput,
  ): Promise<EscalationPayload> {
    return writing(context, input, (caller, seen) => context.escalations.reopen(caller, seen));
  }

  @Mutation(() => EscalationPayload, {
    description: 'Opens one by hand, or answers the open one of the same class, pipeline and target.',
  })
  openEscalation(
    @Ctx() context: GraphqlContext,
    @Arg('input', () => OpenEscalationInput, { description: 'What it is about.' }) input: OpenEscalationInput,
  ): Promise<EscalationPayload> {
    const { failureClass, pipeline, owner, message } = input;
    const target = input.target ?? null;
    const jobId = input.jobId ?? null;
    return writingAnyVersion(context, input, (caller) =>
      context.escalations.open(caller, { failureClass, pipeline, target, owner, message, jobId }),
    );
  }

  @Mutation(() => RedeliverNotificationsPayload, {
    description: 'Sends the notifications of an escalation again that no channel could deliver.',
  })
  redeliverNotifications(
    @Ctx() context: GraphqlContext,
    @Arg('input', () => RedeliverNotificationsInput, INPUT) input: RedeliverNotificationsInput,
  ): Promise<RedeliverNotificationsPayload> {
    return answering({ redelivered: 0 }, async () => {
      const caller = actingAgent(context, input.agent);
      refuseNoId(input.id);
      return { redelivered: await context.escalations.redeliver(caller, input.id) };
    });
  }
}

/** @throws SluiceError INVALID_INPUT when it is no JSON object */
function asPatch(patch: unknown): object | null {
  if (patch === undefined || patch === null) return null;
  const plain = storable(patch);
  if (typeof plain === 'object' && plain !== null && !Array.isArray(plain)) return plain;
  throw new SluiceError('INVALID_INPUT', 'A patch is a JSON object with what changes in the spec.', {
    path: ['patch'],
  });
}
