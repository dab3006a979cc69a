import { Field, Float, InputType, Int } from 'type-graphql';
import type { ErrorCode } from '../src/core/errors.js';
import type { FailureClass } from '../src/core/failure-class.js';
import type { OnFailure } from '../src/jobs/hold.js';
import { ExpectationInput } from './expectation.inputs.js';
import { FailureClassEnum, OnFailureEnum } from './job.enums.js';
import { DurationScalar } from './scalars/duration.js';
import { LongScalar } from './scalars/long.js';
import { SinkInput } from './sink.inputs.js';
import { SourceInput } from './source.inputs.js';
import { StepInput } from './step.inputs.js';
import { ErrorCodeEnum } from './user-error.types.js';

@InputType('ErrorBudgetInput', {
  description: 'Bad rows that a job may have. Beyond any limit that is set it stops before anything is published.',
})
class ErrorBudgetInput {
  @Field(() => LongScalar, { nullable: true, description: 'Most bad rows.' })
  count?: number | bigint | null;

  @Field(() => Float, { nullable: true, description: 'Most per cent of the rows read, 0 to 100.' })
  percent?: number | null;

  @Field(() => LongScalar, {
    nullable: true,
    description: 'Rows that must have been read before `percent` counts. Default 1,000.',
  })
  minRows?: number | bigint | null;
}

@InputType('FailureClassOverrideInput', {
  description: 'The class of an error code, for failures of this job: before every rule that classifies failures.',
})
class FailureClassOverrideInput {
  @Field(() => ErrorCodeEnum, {
    description: 'A code that the job can be held for, each once. Codes that end a job or are tried again are refused.',
  })
  code!: ErrorCode;

  @Field(() => FailureClassEnum, {
    description: 'Its class, whose policy decides who is asked. Nobody is asked about TRANSIENT and INVALID_REQUEST.',
  })
  failureClass!: FailureClass;
}

@InputType('JobEscalationInput', { description: 'How failures of a job that somebody is asked about are escalated.' })
class JobEscalationInput {
  @Field(() => [FailureClassOverrideInput], {
    nullable: true,
    description: 'What class certain failures are. Default: what the rules say.',
  })
  classes?: FailureClassOverrideInput[] | null;

  @Field(() => [String], {
    nullable: true,
    description:
      'Columns whose values no evidence shows: neither in records and samples, nor in the options of steps and expectations, nor in the words of errors. Name what steps make of them too. A column that is nowhere in the pipeline is UNKNOWN_COLUMN.',
  })
  sensitiveColumns?: string[] | null;
}

@InputType('JobOptionsInput', { description: 'How a job runs.' })
export class JobOptionsInput {
  @Field(() => Int, {
    nullable: true,
    description: 'Rows that a chunk aims at; a chunk is one transaction. Default 100,000.',
  })
  chunkRows?: number | null;

  @Field(() => ErrorBudgetInput, {
    nullable: true,
    description: 'Bad rows that the job may have. Default: 10 per cent, from 1,000 rows on.',
  })
  errorBudget?: ErrorBudgetInput | null;

  @Field(() => Int, { nullable: true, description: 'Attempts before a temporary failure counts as final. Default 5.' })
  maxAttempts?: number | null;

  @Field(() => DurationScalar, {
    nullable: true,
    description:
      'Longest time from the first attempt to the end, waits between attempts included; a pause does not count. Default: no limit.',
  })
  timeout?: number | null;

  @Field(() => DurationScalar, {
    nullable: true,
    description:
      'Longest time that loading one chunk may take, e.g. because somebody has locked the target. Then it is cancelled and tried again by itself. Default `PT10M`.',
  })
  chunkTimeout?: number | null;

  @Field(() => OnFailureEnum, {
    nullable: true,
    description: 'Whether somebody is asked when trying again cannot mend a failure. Default ESCALATE.',
  })
  onFailure?: OnFailure | null;

  @Field(() => JobEscalationInput, { nullable: true, description: 'How its failures are escalated.' })
  escalation?: JobEscalationInput | null;

  @Field(() => Int, { nullable: true, description: 'Jobs with a higher number start first: -1000 to 1000. Default 0.' })
  priority?: number | null;
}

/** What a pipeline is made of; launch and preview share it. */
@InputType()
export class PipelineInput {
  @Field(() => SourceInput, { description: 'Where records come from.' })
  source!: SourceInput;

  @Field(() => [StepInput], { nullable: true, description: 'What is done to them, in order.' })
  steps?: StepInput[] | null;

  @Field(() => [ExpectationInput], { nullable: true, description: 'What must hold for the result of the steps.' })
  expectations?: ExpectationInput[] | null;

  @Field(() => SinkInput, { description: 'Where rows go.' })
  sink!: SinkInput;

  @Field(() => JobOptionsInput, { nullable: true, description: 'How the job runs.' })
  options?: JobOptionsInput | null;
}

@InputType('LaunchEtlJobInput', { description: 'An ETL job: source, steps, expectations, sink.' })
export class LaunchEtlJobInput extends PipelineInput {
  @Field(() => String, { description: 'A name for people, 1 to 200 characters; it need not be unique.' })
  name!: string;

  @Field(() => String, {
    nullable: true,
    description:
      'Agent id of the layer that answers for the job and is asked when it needs a decision. Default `layer-12`.',
  })
  owner?: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'Launching again with the same key and the same input answers the first job with `replayed: true`; with another input it is `IDEMPOTENCY_CONFLICT`.',
  })
  idempotencyKey?: string | null;
}

@InputType('PreviewEtlInput', { description: 'The pipeline to try; the sink is inspected, nothing is written.' })
export class PreviewEtlInput extends PipelineInput {}
