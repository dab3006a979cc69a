import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import type { EscalationStatus } from '../escalation/escalation.js';
import type { SimulatedEvent, SimulateInput, Simulation } from '../escalation/service.js';
import type { VerdictKind } from '../escalation/verdict.js';
import { AgentActEnum, EscalationStatusEnum, VerdictKindEnum } from './escalation.enums.js';
import { EscalationPolicyInput } from './policy.inputs.js';
import { DurationScalar } from './scalars/duration.js';
import { UserErrorType } from './user-error.types.js';

type Behaviour = SimulateInput['behaviour'][number];

@InputType('AgentBehaviourInput', { description: 'What an agent of a simulation does.' })
export class AgentBehaviourInput {
  @Field(() => ID, { description: 'The agent. Unknown: UNKNOWN_AGENT.' })
  agent!: string;

  @Field(() => AgentActEnum, { description: 'What it does when it is asked.' })
  does!: Behaviour['does'];

  @Field(() => DurationScalar, { description: 'How long after it is asked.' })
  after!: number;

  @Field(() => VerdictKindEnum, {
    nullable: true,
    description: 'With DECIDE: its verdict. Default: the first that the step allows.',
  })
  verdict?: VerdictKind | null;
}

@InputType('SimulateEscalationInput', {
  description: 'A failure that does not happen. Exactly one of `policyId` and `draft` is set.',
})
export class SimulateEscalationInput {
  @Field(() => ID, { nullable: true, description: 'A stored policy, in its current version.' })
  policyId?: string | null;

  @Field(() => EscalationPolicyInput, { nullable: true, description: 'A policy to try before it is saved.' })
  draft?: EscalationPolicyInput | null;

  @Field(() => ID, {
    defaultValue: 'layer-12',
    description:
      'The agent who answers for what fails; peer, domain and chief are seen from there. Unknown: UNKNOWN_OWNER.',
  })
  owner!: string;

  @Field(() => [AgentBehaviourInput], {
    defaultValue: [],
    description: 'What agents do; those who are not named stay silent.',
  })
  behaviour!: AgentBehaviourInput[];
}

/** `agents` is in the resolver. */
@ObjectType('SimulatedEvent', { description: 'One line of a simulated ladder.' })
export class SimulatedEventType {
  @Field(() => DurationScalar, { name: 'at', description: 'How long after the failure.' })
  atMs!: number;

  @Field(() => String, {
    description:
      'What happens, in the words of `EscalationLogEntry.kind`; REFUSED when an agent cannot do what it wants.',
  })
  kind!: string;

  @Field(() => EscalationStatusEnum, { description: 'Status after it.' })
  status!: EscalationStatus;

  @Field(() => Int, { description: "Index of the policy's step after it, from 0." })
  step!: number;

  @Field(() => Int, { description: 'Round after it, from 0.' })
  round!: number;

  @Field(() => String, { description: 'A sentence for people.' })
  description!: string;
}

@ObjectType('EscalationSimulation', { description: 'What would happen, and when.' })
export class EscalationSimulationType {
  @Field(() => [SimulatedEventType], { description: 'What would happen, in order.' })
  events!: readonly SimulatedEvent[];

  @Field(() => DurationScalar, {
    name: 'ceoAfter',
    nullable: true,
    description: 'The longest that it takes until the CEO is asked; null when the policy never asks the CEO.',
  })
  ceoAfterMs!: number | null;

  @Field(() => DurationScalar, {
    name: 'endAfter',
    description: "The longest that it takes until the policy's end action.",
  })
  endAfterMs!: number;
}

@ObjectType('SimulateEscalationPayload', { description: 'Answer of `simulateEscalation`.' })
export class SimulateEscalationPayload {
  @Field(() => EscalationSimulationType, { nullable: true, description: 'Null when the input has mistakes.' })
  simulation!: Simulation | null;

  @Field(() => [UserErrorType], { description: 'Mistakes in the input.' })
  userErrors!: UserErrorType[];
}
