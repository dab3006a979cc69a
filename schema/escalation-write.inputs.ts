import { Field, ID, InputType } from 'type-graphql';
import type { VerdictKind } from '../escalation/verdict.js';
import type { FailureClass } from '../src/core/failure-class.js';
import { VerdictKindEnum } from './escalation.enums.js';
import { EscalationWriteInput } from './escalation.inputs.js';
import { FailureClassEnum } from './job.enums.js';
import { DateTimeScalar } from './scalars/date-time.js';
import { DurationScalar } from './scalars/duration.js';
import { JsonScalar } from './scalars/json.js';

@InputType('AcknowledgeEscalationInput', { description: 'Which escalation, and who is on it.' })
export class AcknowledgeEscalationInput extends EscalationWriteInput {}

@InputType('ClaimEscalationInput', { description: 'Which escalation, who wants it alone, and how long.' })
export class ClaimEscalationInput extends EscalationWriteInput {
  @Field(() => DurationScalar, {
    nullable: true,
    description: 'How long the claim lasts from now: at most 4 hours. Default PT15M.',
  })
  for?: number | null;
}

@InputType('RenewClaimInput', { description: 'Which claim, and how much longer.' })
export class RenewClaimInput extends EscalationWriteInput {
  @Field(() => DurationScalar, {
    nullable: true,
    description: 'How long the claim lasts from now: at most 4 hours. Default PT15M.',
  })
  for?: number | null;
}

@InputType('ReleaseClaimInput', { description: 'Which claim is given back.' })
export class ReleaseClaimInput extends EscalationWriteInput {}

@InputType('DeclineEscalationInput', { description: 'Which escalation is handed on, and why.' })
export class DeclineEscalationInput extends EscalationWriteInput {
  @Field(() => String, { nullable: true, description: 'Why; kept in the log.' })
  comment?: string | null;
}

@InputType('SubmitVerdictInput', { description: 'What shall happen to the job.' })
export class SubmitVerdictInput extends EscalationWriteInput {
  @Field(() => VerdictKindEnum, { description: 'One of `allowedVerdicts`, else VERDICT_NOT_ALLOWED.' })
  kind!: VerdictKind;

  @Field(() => JsonScalar, {
    nullable: true,
    description:
      'With PATCH_SPEC, and only there: a JSON merge patch (RFC 7396) of `job.spec`, such as `{"sink": {...}}`.',
  })
  patch?: unknown;

  @Field(() => String, { nullable: true, description: 'Why; kept in the log.' })
  comment?: string | null;
}

@InputType('EscalateInput', { description: 'Which escalation moves up, and why.' })
export class EscalateInput extends EscalationWriteInput {
  @Field(() => String, { nullable: true, description: 'Why; kept in the log.' })
  comment?: string | null;
}

@InputType('SnoozeEscalationInput', { description: 'Which escalation is quiet, and until when.' })
export class SnoozeEscalationInput extends EscalationWriteInput {
  @Field(() => DateTimeScalar, { description: 'When the same step is asked again; in the future.' })
  until!: Date;
}

@InputType('ReassignEscalationInput', { description: 'Which escalation, and who is asked instead.' })
export class ReassignEscalationInput extends EscalationWriteInput {
  @Field(() => ID, { description: 'The agent who is asked instead. Unknown: UNKNOWN_AGENT.' })
  to!: string;
}

@InputType('CommentEscalationInput', { description: 'Words for the log; they change nothing, so no version is named.' })
export class CommentEscalationInput {
  @Field(() => ID, { description: 'The escalation. Unknown: ESCALATION_NOT_FOUND.' })
  id!: string;

  @Field(() => ID, { description: 'The agent who says it. Unknown: UNKNOWN_AGENT.' })
  agent!: string;

  @Field(() => String, { description: 'What it says; not empty.' })
  text!: string;
}

@InputType('ResolveEscalationInput', { description: 'Which escalation is over, and why.' })
export class ResolveEscalationInput extends EscalationWriteInput {
  @Field(() => String, { nullable: true, description: 'Why; kept in the log.' })
  comment?: string | null;
}

@InputType('ReopenEscalationInput', { description: 'Which resolved escalation is open again.' })
export class ReopenEscalationInput extends EscalationWriteInput {}

@InputType('OpenEscalationInput', { description: 'Something that somebody has to decide about.' })
export class OpenEscalationInput {
  @Field(() => ID, { description: 'The agent who opens it. Unknown: UNKNOWN_AGENT.' })
  agent!: string;

  @Field(() => FailureClassEnum, {
    description: 'Decides whom the policies ask. Nobody is asked about TRANSIENT and INVALID_REQUEST.',
  })
  failureClass!: FailureClass;

  @Field(() => String, { description: 'Name of the job, or of what else it is about; not empty.' })
  pipeline!: string;

  @Field(() => String, { nullable: true, description: 'What is written: `connection.schema.table` or a URI.' })
  target?: string | null;

  @Field(() => ID, {
    defaultValue: 'layer-12',
    description: 'The agent who answers for it; peer, domain and chief are seen from there. Unknown: UNKNOWN_OWNER.',
  })
  owner!: string;

  @Field(() => String, { description: 'What is wrong, in a sentence; not empty.' })
  message!: string;

  @Field(() => ID, { nullable: true, description: 'The job that it is about. Unknown: JOB_NOT_FOUND.' })
  jobId?: string | null;
}

@InputType('RedeliverNotificationsInput', { description: 'Whose notifications are sent again.' })
export class RedeliverNotificationsInput {
  @Field(() => ID, { description: 'The escalation. Unknown: ESCALATION_NOT_FOUND.' })
  id!: string;

  @Field(() => ID, { description: 'The agent who acts. Unknown: UNKNOWN_AGENT.' })
  agent!: string;
}
