import { Field, ID, Int, ObjectType } from 'type-graphql';
import type { ErrorCode } from '../src/core/errors.js';
import type { FailureClass } from '../src/core/failure-class.js';
import type { DeadLetterRefusal } from '../src/jobs/dead-letters/way-back.js';
import type { Job } from '../src/jobs/job.js';
import { describedEnum } from './described-enum.js';
import { FailureClassEnum } from './job.enums.js';
import { JobType } from './job.types.js';
import { ConnectionType } from './page.types.js';
import { DateTimeScalar } from './scalars/date-time.js';
import { ErrorCodeEnum, UserErrorType } from './user-error.types.js';

const DeadLetterRefusalEnum = describedEnum<DeadLetterRefusal>('DeadLetterRefusal', 'Why a job was left as it is.', {
  NOT_FOUND: 'There is no job with that id.',
  NOT_DEAD: 'It is in no dead letter: somebody else has redriven or discarded it, or it never died.',
  ROWS_IN_TARGET:
    'Rows of it are in its target, and its parts are gone: beginning anew would load them twice. Launch a job with the rows that are missing.',
  NOT_CLEANED_UP: 'What it has staged is not removed yet; try again in half a minute.',
  IS_REPLAY: 'Its source was the quarantine of another job, and its rows went back there: replay them again.',
});

@ObjectType('DeadLetter', {
  description:
    'A job that is DEAD: its attempts are used up, or it took its workers down. A job that FAILED is none: its error says what the caller has to mend.',
})
export class DeadLetterType {
  @Field(() => JobType, { description: 'The job; its `error` says what it died of.' })
  job!: Job;

  @Field(() => String, { description: 'Equal for jobs that died of the same; names their group.' })
  fingerprint!: string;

  @Field(() => DateTimeScalar, { description: 'When it died.' })
  diedAt!: Date;

  @Field(() => Int, { description: 'How often it was redriven before.' })
  redriveCount!: number;
}

@ObjectType('DeadLetterEdge', { description: 'A dead letter and its place in the list.' })
class DeadLetterEdgeType {
  @Field(() => String, { description: 'Pass it as `after` for what follows.' })
  cursor!: string;

  @Field(() => DeadLetterType, { description: 'The dead letter.' })
  node!: DeadLetterType;
}

@ObjectType('DeadLetterConnection', { description: 'A page of dead letters.' })
export class DeadLetterConnectionType extends ConnectionType {
  @Field(() => [DeadLetterEdgeType], { description: 'The dead letters of this page.' })
  edges!: DeadLetterEdgeType[];
}

@ObjectType('DeadLetterGroup', { description: 'Dead letters that died of the same.' })
export class DeadLetterGroupType {
  @Field(() => String, {
    description: 'Made of the code, the stage and the message without its ids, numbers and quoted values.',
  })
  fingerprint!: string;

  @Field(() => Int, { description: 'How many there are.' })
  count!: number;

  @Field(() => ErrorCodeEnum, { nullable: true, description: 'What happened.' })
  code!: ErrorCode | null;

  @Field(() => FailureClassEnum, { name: 'class', nullable: true, description: 'How such a failure is handled.' })
  failureClass!: FailureClass | null;

  @Field(() => String, {
    nullable: true,
    description: 'The message that they have in common, with `<id>`, `<n>` and `<value>` where they differ.',
  })
  message!: string | null;

  @Field(() => DateTimeScalar, { description: 'When the first of them died.' })
  firstDiedAt!: Date;

  @Field(() => DateTimeScalar, { description: 'When the last of them died.' })
  lastDiedAt!: Date;

  @Field(() => [String], { description: 'Names of the jobs, at most 20.' })
  names!: readonly string[];

  @Field(() => Int, { description: 'How many names there are.' })
  nameCount!: number;

  @Field(() => JobType, { description: 'The one that died last.' })
  sample!: Job;
}

@ObjectType('JobRedriveError', { description: 'What a job had died of before it was redriven.' })
class JobRedriveErrorType {
  @Field(() => ErrorCodeEnum, { description: 'What happened.' })
  code!: ErrorCode;

  @Field(() => String, { description: 'A sentence for people.' })
  message!: string;
}

@ObjectType('JobRedrive', { description: 'That a job was brought back from the dead letters.' })
export class JobRedriveType {
  @Field(() => ID, { description: 'Id of the redrive; the same for all jobs of it.' })
  id!: string;

  @Field(() => Int, { description: 'Which redrive of the job it is, from 1.' })
  number!: number;

  @Field(() => DateTimeScalar, { description: 'When it was asked for.' })
  at!: Date;

  @Field(() => String, { description: 'Name of the token that asked for it.' })
  by!: string;

  @Field(() => DateTimeScalar, { description: 'When the job had died.' })
  diedAt!: Date;

  @Field(() => String, { description: 'The group it was in.' })
  fingerprint!: string;

  @Field(() => JobRedriveErrorType, { nullable: true, description: 'What it had died of.' })
  error!: JobRedriveErrorType | null;
}

@ObjectType('JobDiscard', { description: 'That a dead job was given up.' })
export class JobDiscardType {
  @Field(() => DateTimeScalar, { description: 'When.' })
  at!: Date;

  @Field(() => String, { description: 'Name of the token that did it.' })
  by!: string;

  @Field(() => String, { description: 'Why.' })
  reason!: string;
}

@ObjectType('RefusedDeadLetter', { description: 'A job that was left as it is.' })
class RefusedDeadLetterType {
  @Field(() => ID, { description: 'Id of the job.' })
  jobId!: string;

  @Field(() => DeadLetterRefusalEnum, { description: 'Why.' })
  reason!: DeadLetterRefusal;
}

/** What became of the jobs of a redrive or a discard. */
@ObjectType()
class TakenDeadLettersPayload {
  @Field(() => Int, { description: 'How many jobs were taken.' })
  taken!: number;

  @Field(() => Int, { description: 'How many were left as they are.' })
  refusedCount!: number;

  @Field(() => [RefusedDeadLetterType], { description: 'Those, at most 1,000 of them.' })
  refused!: readonly RefusedDeadLetterType[];

  @Field(() => Int, {
    description: 'How many match beyond the 10,000 that are taken at once, or were when they were counted; ask again.',
  })
  remaining!: number;

  @Field(() => [UserErrorType], { description: 'Mistakes in the input; empty when it was done.' })
  userErrors!: UserErrorType[];
}

@ObjectType('RedriveDeadLettersPayload', { description: 'Answer of `redriveDeadLetters`.' })
export class RedriveDeadLettersPayload extends TakenDeadLettersPayload {
  @Field(() => ID, { nullable: true, description: 'Id of the redrive; null when the input has mistakes.' })
  redriveId!: string | null;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'When the last of the jobs has its turn, if nothing holds them up; null when none was taken.',
  })
  lastDueAt!: Date | null;

  @Field(() => Boolean, { description: 'Whether an earlier redrive with the same `idempotencyKey` is answered.' })
  replayed!: boolean;
}

@ObjectType('DiscardDeadLettersPayload', { description: 'Answer of `discardDeadLetters`.' })
export class DiscardDeadLettersPayload extends TakenDeadLettersPayload {}
