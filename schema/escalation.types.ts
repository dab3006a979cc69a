import { Field, Float, ID, Int, ObjectType } from 'type-graphql';
import type { Escalation } from '../escalation/escalation.js';
import type { Verdict, VerdictKind } from '../escalation/verdict.js';
import type { FailureClass } from '../src/core/failure-class.js';
import { VerdictKindEnum } from './escalation.enums.js';
import { FailureClassEnum } from './job.enums.js';
import { ConnectionType } from './page.types.js';
import { DateTimeScalar } from './scalars/date-time.js';
import { JsonScalar } from './scalars/json.js';
import { UserErrorType } from './user-error.types.js';

/** `agent` is in the resolver, which knows the org chart. */
@ObjectType('Verdict', { description: 'What an agent has decided about a failed job.' })
export class VerdictType implements Omit<Verdict, 'agent'> {
  @Field(() => ID, { description: 'Id of the verdict; its effect happens once under it.' })
  id!: string;

  @Field(() => VerdictKindEnum, { description: 'What was decided.' })
  kind!: VerdictKind;

  @Field(() => JsonScalar, {
    nullable: true,
    description: 'JSON merge patch (RFC 7396) of the job spec, of a PATCH_SPEC.',
  })
  patch!: object | null;

  @Field(() => String, { nullable: true, description: 'What the agent said to it.' })
  comment!: string | null;
}

/** What others have made of it (state, agents, job, policy, log) is in escalation-fields.resolver. */
@ObjectType('Escalation', { description: 'A failure that somebody has to decide about, and who is asked.' })
export class EscalationType {
  @Field(() => ID, { description: 'Id of the escalation; opaque.' })
  id!: string;

  @Field(() => String, { description: 'A line for people.' })
  title!: string;

  @Field(() => FailureClassEnum, { description: 'How the failure was classified.' })
  failureClass!: FailureClass;

  @Field(() => String, { description: 'Name of the rule that classified it.' })
  rule!: string;

  @Field(() => Float, { description: 'How sure the rule is, 0 to 1.' })
  confidence!: number;

  @Field(() => String, { description: 'Name of the job or of the monitor that failed.' })
  pipeline!: string;

  @Field(() => String, {
    nullable: true,
    description: '`connection.schema.table` or the URI of the file that the job writes; null when nothing is written.',
  })
  target!: string | null;

  @Field(() => Int, { description: 'How often the same failure has happened since it was opened, from 1.' })
  occurrences!: number;

  @Field(() => Int, { description: 'Grows with every change; writes name the one that they have seen.' })
  version!: number;

  @Field(() => DateTimeScalar, { description: 'When it was opened.' })
  openedAt!: Date;

  @Field(() => DateTimeScalar, { description: 'When the failure happened last.' })
  lastOccurredAt!: Date;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When it was resolved; null while it is open.' })
  resolvedAt!: Date | null;
}

@ObjectType('EscalationEdge', { description: 'An escalation and its place in the list.' })
class EscalationEdgeType {
  @Field(() => String, { description: 'Pass it as `after` for what follows.' })
  cursor!: string;

  @Field(() => EscalationType, { description: 'The escalation.' })
  node!: Escalation;
}

@ObjectType('EscalationConnection', { description: 'A page of escalations.' })
export class EscalationConnectionType extends ConnectionType {
  @Field(() => [EscalationEdgeType], { description: 'The escalations of this page.' })
  edges!: EscalationEdgeType[];
}

@ObjectType('EscalationConflict', { description: 'What somebody else has made of an escalation meanwhile.' })
export class EscalationConflictType {
  @Field(() => EscalationType, { description: 'The escalation as it is now.' })
  current!: Escalation;
}

@ObjectType('EscalationPayload', { description: 'Answer of every write to an escalation.' })
export class EscalationPayload {
  @Field(() => EscalationType, { nullable: true, description: 'The escalation after it; null when it was refused.' })
  escalation!: Escalation | null;

  @Field(() => EscalationConflictType, {
    nullable: true,
    description: 'Set with the user error CONFLICT: `expectedVersion` was stale and nothing was done.',
  })
  conflict!: EscalationConflictType | null;

  @Field(() => [UserErrorType], { description: 'Why it was refused; empty when it was done.' })
  userErrors!: UserErrorType[];
}
