import { Field, ID, Int, ObjectType } from 'type-graphql';
import type { CatchUp, ChannelName, EndAction, OnEmpty, Role, Target } from '../escalation/policy.js';
import type { VerdictKind } from '../escalation/verdict.js';
import type { FailureClass } from '../src/core/failure-class.js';
import { VerdictKindEnum } from './escalation.enums.js';
import { FailureClassEnum } from './job.enums.js';
import {
  CatchUpEnum,
  EndActionEnum,
  EscalationRoleEnum,
  NotificationChannelEnum,
  OnEmptyEnum,
} from './policy.enums.js';
import { DateTimeScalar } from './scalars/date-time.js';
import { DurationScalar } from './scalars/duration.js';

/** `agent` is in the resolver, which knows the org chart. */
@ObjectType('EscalationTarget', { description: 'Somebody by role or by name; one of the two is set.' })
export class EscalationTargetType {
  @Field(() => EscalationRoleEnum, { nullable: true, description: 'By role, found for the owner of what failed.' })
  role!: Role | null;
}

@ObjectType('EscalationPolicyStep', { description: 'One rung of the ladder.' })
export class EscalationPolicyStepType {
  @Field(() => [EscalationTargetType], { description: 'Who is asked, all at once.' })
  ask!: readonly Target[];

  @Field(() => [EscalationTargetType], { description: 'Who is told beside them and owes no answer.' })
  tell!: readonly Target[];

  @Field(() => DurationScalar, {
    name: 'wait',
    description: 'How long they have to acknowledge or decide before the next step.',
  })
  waitMs!: number;

  @Field(() => [NotificationChannelEnum], { description: 'Tried in this order until one has delivered.' })
  channels!: readonly ChannelName[];

  @Field(() => OnEmptyEnum, { description: 'What happens when nobody stands behind `ask`.' })
  onEmpty!: OnEmpty;

  @Field(() => [VerdictKindEnum], { description: 'What may be decided at this step.' })
  allowedVerdicts!: readonly VerdictKind[];

  @Field(() => Int, { description: 'Agents who have to submit the same verdict before it counts.' })
  quorum!: number;
}

@ObjectType('MaintenanceWindow', {
  description:
    'Nobody is asked between two moments; steps that fall due wait for the end. Failures are still recorded.',
})
export class MaintenanceWindowType {
  @Field(() => DateTimeScalar, { description: 'When it begins.' })
  from!: Date;

  @Field(() => DateTimeScalar, { description: 'When it ends.' })
  to!: Date;
}

@ObjectType('EscalationPolicy', {
  description: 'Who is asked about failures of a class, in which order, and how long.',
})
export class EscalationPolicyType {
  @Field(() => ID, { description: 'Name of the policy, such as `pipeline-decision`.' })
  id!: string;

  @Field(() => Int, {
    description: 'Grows by one with every save; an open escalation keeps the version it began with.',
  })
  version!: number;

  @Field(() => FailureClassEnum, { description: 'The failures it is for.' })
  failureClass!: FailureClass;

  @Field(() => String, {
    nullable: true,
    description: 'Only for jobs of this name, before the policy for all; null for all.',
  })
  pipeline!: string | null;

  @Field(() => [EscalationPolicyStepType], { description: 'The ladder, first step first.' })
  steps!: readonly EscalationPolicyStepType[];

  @Field(() => Int, { description: 'Times the whole ladder is climbed again after the first.' })
  repeat!: number;

  @Field(() => DurationScalar, {
    name: 'ackTimeout',
    description: 'Acknowledged or claimed, and silent for so long: the next step.',
  })
  ackTimeoutMs!: number;

  @Field(() => DurationScalar, {
    name: 'groupWindow',
    description: 'The same failure within this time of the last one counts as an occurrence of the open escalation.',
  })
  groupWindowMs!: number;

  @Field(() => [MaintenanceWindowType], { description: 'When nobody is asked.' })
  maintenance!: readonly MaintenanceWindowType[];

  @Field(() => Boolean, { description: 'Whether the escalation closes by itself when what failed works again.' })
  autoResolve!: boolean;

  @Field(() => EndActionEnum, { description: 'What happens when everybody stayed silent.' })
  endAction!: EndAction;

  @Field(() => CatchUpEnum, { description: 'Which step is asked when several fell due while no escalator ran.' })
  catchUp!: CatchUp;
}
