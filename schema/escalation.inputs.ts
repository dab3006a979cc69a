import { Field, ID, InputType, Int } from 'type-graphql';
import type { EscalationStatus } from '../escalation/escalation.js';
import type { EscalationFilter } from '../escalation/ports.js';
import type { FailureClass } from '../src/core/failure-class.js';
import { EscalationStatusEnum } from './escalation.enums.js';
import { FailureClassEnum } from './job.enums.js';

@InputType('EscalationFilter', { description: 'Which escalations; every member that is set must hold.' })
export class EscalationFilterInput {
  @Field(() => [EscalationStatusEnum], { nullable: true, description: 'Escalations in one of these states.' })
  statuses?: EscalationStatus[] | null;

  @Field(() => [FailureClassEnum], { nullable: true, description: 'Escalations of one of these classes.' })
  failureClasses?: FailureClass[] | null;

  @Field(() => ID, {
    nullable: true,
    description: 'Those in which this agent is asked, told or the holder. Unknown: the error UNKNOWN_AGENT.',
  })
  agent?: string | null;

  @Field(() => ID, { nullable: true, description: 'Those of this job.' })
  jobId?: string | null;
}

@InputType('EscalationEventFilter', { description: 'Which events; every member that is set must hold.' })
export class EscalationEventFilterInput {
  @Field(() => ID, {
    nullable: true,
    description: 'Those that mean this agent: it is asked or told, or acts itself. Unknown: the error UNKNOWN_AGENT.',
  })
  agent?: string | null;

  @Field(() => ID, { nullable: true, description: 'Those of this escalation.' })
  escalationId?: string | null;
}

/** Who writes, and what they have seen. */
@InputType()
export class EscalationWriteInput {
  @Field(() => ID, { description: 'The escalation. Unknown: ESCALATION_NOT_FOUND.' })
  id!: string;

  @Field(() => Int, { description: 'The `version` that you have seen. CONFLICT when it has moved on.' })
  expectedVersion!: number;

  @Field(() => ID, { description: 'The agent who acts. Unknown: UNKNOWN_AGENT.' })
  agent!: string;
}

/** The members that are set; null counts as unset. */
export function escalationFilter(input: EscalationFilterInput | null | undefined): EscalationFilter {
  const { statuses, failureClasses, agent, jobId } = input ?? {};
  return {
    ...(statuses && { statuses }),
    ...(failureClasses && { failureClasses }),
    ...(typeof agent === 'string' && { agent }),
    ...(typeof jobId === 'string' && { jobId }),
  };
}
