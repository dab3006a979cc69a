import { Field, Int, ObjectType } from 'type-graphql';
import type { AttemptOutcome } from '../src/jobs/job.js';
import { describedEnum } from './described-enum.js';
import { DateTimeScalar } from './scalars/date-time.js';
import { DurationScalar } from './scalars/duration.js';
import { LongScalar } from './scalars/long.js';
import { ErrorCodeEnum } from './user-error.types.js';

const AttemptOutcomeEnum = describedEnum<AttemptOutcome>('AttemptOutcome', 'How an attempt ended.', {
  SUCCEEDED: 'The job succeeded with it.',
  FAILED: 'With an error; the state of the job says whether it is tried again.',
  CANCELLED: 'The job was cancelled.',
  PAUSED: 'The job was paused. Uses up no try.',
  RELEASED: 'Its worker was told to stop, and another one takes over. Uses up no try.',
  LEASE_LOST: 'Its worker stopped answering, and another one takes over. Uses up no try.',
});

@ObjectType('JobAttemptError', { description: 'Why an attempt failed; the job has the details of the last one.' })
class JobAttemptErrorType {
  @Field(() => ErrorCodeEnum, { description: 'What happened.' })
  code!: keyof typeof ErrorCodeEnum;

  @Field(() => String, { description: 'A sentence for people.' })
  message!: string;
}

@ObjectType('JobAttempt', {
  description:
    'A stretch in which a job ran, from a claim until it ran no more. Several workers may load its parts; a part that is tried again by itself is no other attempt.',
})
export class JobAttemptType {
  @Field(() => LongScalar, { description: '`seq` of the event with which it began.' })
  seq!: number;

  @Field(() => Int, {
    description: 'Which try of the job it is, from 1. An attempt that used up no try has the number of the next one.',
  })
  number!: number;

  @Field(() => String, { description: 'Who claimed it: host, process, and a random part.' })
  worker!: string;

  @Field(() => DateTimeScalar, { description: 'When it began.' })
  startedAt!: Date;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When it ended; null while it runs.' })
  endedAt!: Date | null;

  @Field(() => DurationScalar, {
    name: 'duration',
    nullable: true,
    description: 'How long it ran; null while it does.',
  })
  durationMs!: number | null;

  @Field(() => AttemptOutcomeEnum, { nullable: true, description: 'How it ended; null while it runs.' })
  outcome!: AttemptOutcome | null;

  @Field(() => JobAttemptErrorType, { nullable: true, description: 'Why it failed.' })
  error!: JobAttemptErrorType | null;
}
