import { Field, Float, ID, InputType } from 'type-graphql';
import type { ErrorCode } from '../src/core/errors.js';
import type { FailureClass } from '../src/core/failure-class.js';
import type { DeadLetterChoice, DeadLetterFilter } from '../src/jobs/dead-letters/ports.js';
import { FailureClassEnum } from './job.enums.js';
import { DateTimeScalar } from './scalars/date-time.js';
import { ErrorCodeEnum } from './user-error.types.js';

@InputType('DeadLetterFilter', { description: 'Which dead letters; every member that is set must hold.' })
export class DeadLetterFilterInput {
  @Field(() => FailureClassEnum, { nullable: true, description: 'Those whose error is of this class.' })
  failureClass?: FailureClass | null;

  @Field(() => ErrorCodeEnum, {
    nullable: true,
    description:
      'Those whose error has this code. With retries that are exhausted, also the code that came back on every attempt.',
  })
  code?: ErrorCode | null;

  @Field(() => String, { nullable: true, description: 'Jobs of exactly this name.' })
  name?: string | null;

  @Field(() => String, { nullable: true, description: 'Jobs that this agent answers for, such as `layer-12`.' })
  owner?: string | null;

  @Field(() => String, { nullable: true, description: 'Those of this group of `deadLetterGroups`.' })
  fingerprint?: string | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'Died after this moment.' })
  diedAfter?: Date | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'Died before this moment.' })
  diedBefore?: Date | null;
}

/** Which dead letters a mutation is about. */
@InputType()
class ChosenDeadLettersInput {
  @Field(() => [ID], { nullable: true, description: 'These jobs, 1 to 1,000.' })
  jobIds?: string[] | null;

  @Field(() => DeadLetterFilterInput, {
    nullable: true,
    description: 'Those that match; at least one member must be set. The ones that died first go first.',
  })
  filter?: DeadLetterFilterInput | null;
}

@InputType('RedriveDeadLettersInput', {
  description: 'Which dead letters to redrive, by exactly one of `jobIds`, `filter` and `all: true`, and how fast.',
})
export class RedriveDeadLettersInput extends ChosenDeadLettersInput {
  @Field(() => Boolean, { nullable: true, description: 'Every dead letter of the tenant. Default false.' })
  all?: boolean | null;

  @Field(() => Float, {
    nullable: true,
    description: 'How many of them are queued in a second, 0.1 to 200. Default 10.',
  })
  ratePerSecond?: number | null;

  @Field(() => String, {
    nullable: true,
    description: 'The same key with the same input answers what the first redrive answered; at most 200 characters.',
  })
  idempotencyKey?: string | null;
}

@InputType('DiscardDeadLettersInput', {
  description: 'Which dead letters to discard, by exactly one of `jobIds` and `filter`, and why.',
})
export class DiscardDeadLettersInput extends ChosenDeadLettersInput {
  @Field(() => String, { description: 'Why; kept with the jobs. 1 to 500 characters.' })
  reason!: string;
}

/** The members that are set; null counts as unset. */
export function deadLetterFilter(input: DeadLetterFilterInput | null | undefined): DeadLetterFilter {
  const { failureClass, code, name, owner, fingerprint, diedAfter, diedBefore } = input ?? {};
  return {
    ...(failureClass && { failureClass }),
    ...(code && { code }),
    ...(typeof name === 'string' && { name }),
    ...(typeof owner === 'string' && { owner }),
    ...(typeof fingerprint === 'string' && { fingerprint }),
    ...(diedAfter && { diedAfter }),
    ...(diedBefore && { diedBefore }),
  };
}

/** The same for which jobs are meant. */
export const deadLetterChoice = ({ jobIds, filter }: ChosenDeadLettersInput): Omit<DeadLetterChoice, 'all'> => ({
  ...(jobIds && { jobIds }),
  ...(filter && { filter: deadLetterFilter(filter) }),
});
