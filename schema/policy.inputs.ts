import { Field, ID, InputType, Int } from 'type-graphql';
import {
  type CatchUp,
  CHANNELS,
  type ChannelName,
  type EndAction,
  type OnEmpty,
  type Role,
} from '../escalation/policy.js';
import { VERDICTS, type VerdictKind } from '../escalation/verdict.js';
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

const MINUTE = 60_000;
// The feed always works, so that nothing is tried behind it.
const DEFAULT_CHANNELS: ChannelName[] = ['WEBHOOK', 'EMAIL', 'FEED'];

@InputType('EscalationTargetInput', { description: 'Somebody by role or by name. Exactly one member is set.' })
export class EscalationTargetInput {
  @Field(() => EscalationRoleEnum, { nullable: true, description: 'By role, found for the owner of what failed.' })
  role?: Role | null;

  @Field(() => ID, { nullable: true, description: 'By id, such as `layer-20`. Unknown: UNKNOWN_AGENT.' })
  agent?: string | null;
}

@InputType('EscalationPolicyStepInput', { description: 'One rung of the ladder.' })
export class EscalationPolicyStepInput {
  @Field(() => [EscalationTargetInput], { description: 'Who is asked, all at once; at least one.' })
  ask!: EscalationTargetInput[];

  @Field(() => [EscalationTargetInput], {
    defaultValue: [],
    description: 'Who is told beside them and owes no answer.',
  })
  tell!: EscalationTargetInput[];

  @Field(() => DurationScalar, {
    description: 'How long they have to acknowledge or decide before the next step: 1 second to 30 days.',
  })
  wait!: number;

  @Field(() => [NotificationChannelEnum], {
    defaultValue: DEFAULT_CHANNELS,
    description: `Tried in this order until one has delivered; at least one of ${CHANNELS.join(', ')}.`,
  })
  channels!: ChannelName[];

  @Field(() => OnEmptyEnum, { defaultValue: 'SKIP', description: 'What happens when nobody stands behind `ask`.' })
  onEmpty!: OnEmpty;

  @Field(() => [VerdictKindEnum], { defaultValue: [...VERDICTS], description: 'What may be decided at this step.' })
  allowedVerdicts!: VerdictKind[];

  @Field(() => Int, {
    defaultValue: 1,
    description: 'Agents who have to submit the same verdict before it counts; at most as many as are asked.',
  })
  quorum!: number;
}

@InputType('MaintenanceWindowInput', { description: 'Nobody is asked between two moments.' })
export class MaintenanceWindowInput {
  @Field(() => DateTimeScalar, { description: 'When it begins.' })
  from!: Date;

  @Field(() => DateTimeScalar, { description: 'When it ends; after `from`.' })
  to!: Date;
}

@InputType('EscalationPolicyInput', {
  description: 'Who is asked about failures of a class, in which order, and how long.',
})
export class EscalationPolicyInput {
  @Field(() => ID, { description: 'Name of the policy, such as `pipeline-decision`; unique.' })
  id!: string;

  @Field(() => FailureClassEnum, {
    description: 'The failures it is for. Nobody is asked about TRANSIENT and INVALID_REQUEST.',
  })
  failureClass!: FailureClass;

  @Field(() => String, { nullable: true, description: 'Only for jobs of this name. Default: all.' })
  pipeline?: string | null;

  @Field(() => [EscalationPolicyStepInput], { description: 'The ladder, first step first; at least one step.' })
  steps!: EscalationPolicyStepInput[];

  @Field(() => Int, { defaultValue: 0, description: 'Times the whole ladder is climbed again after the first.' })
  repeat!: number;

  @Field(() => DurationScalar, {
    defaultValue: 30 * MINUTE,
    description: 'Acknowledged or claimed, and silent for so long: the next step.',
  })
  ackTimeout!: number;

  @Field(() => DurationScalar, {
    defaultValue: 60 * MINUTE,
    description: 'The same failure within this time of the last one counts as an occurrence of the open escalation.',
  })
  groupWindow!: number;

  @Field(() => [MaintenanceWindowInput], { defaultValue: [], description: 'When nobody is asked.' })
  maintenance!: MaintenanceWindowInput[];

  @Field(() => Boolean, {
    defaultValue: true,
    description: 'Whether the escalation closes by itself when what failed works again.',
  })
  autoResolve!: boolean;

  @Field(() => EndActionEnum, { defaultValue: 'HOLD', description: 'What happens when everybody stayed silent.' })
  endAction!: EndAction;

  @Field(() => CatchUpEnum, {
    defaultValue: 'NEXT_STEP',
    description: 'Which step is asked when several fell due while no escalator ran.',
  })
  catchUp!: CatchUp;
}

@InputType('SaveEscalationPolicyInput', { description: 'A policy to add, or the next version of one.' })
export class SaveEscalationPolicyInput {
  @Field(() => ID, { description: 'The agent who acts. Unknown: UNKNOWN_AGENT.' })
  agent!: string;

  @Field(() => Int, {
    description: 'The version that you have seen, 0 for a new policy. CONFLICT when it has moved on.',
  })
  expectedVersion!: number;

  @Field(() => EscalationPolicyInput, { description: 'The policy as it shall be, whole.' })
  policy!: EscalationPolicyInput;
}
