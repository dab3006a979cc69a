import { Field, ID, Int, ObjectType } from 'type-graphql';
import type { FailureClass } from '../src/core/failure-class.js';
import type { JobKind, JobStage, JobState } from '../src/jobs/job.js';
import { FailureClassEnum, JobKindEnum, JobStageEnum, JobStateEnum } from './job.enums.js';
import { JobProgressType } from './job-progress.types.js';
import { ConnectionType } from './page.types.js';
import { DateTimeScalar } from './scalars/date-time.js';
import { JsonScalar } from './scalars/json.js';
import { LongScalar } from './scalars/long.js';
import { ErrorCodeEnum } from './user-error.types.js';

@ObjectType('JobError', { description: 'Why a job failed, or why its last attempt did.' })
export class JobErrorType {
  @Field(() => ErrorCodeEnum, { description: 'What happened.' })
  code!: keyof typeof ErrorCodeEnum;

  @Field(() => FailureClassEnum, { name: 'class', description: 'How it is handled, and who is asked.' })
  failureClass!: FailureClass;

  @Field(() => String, { description: 'A sentence for people.' })
  message!: string;

  @Field(() => [String], {
    nullable: true,
    description: 'The part of the spec at fault, such as `["steps", "0", "cast"]`.',
  })
  path!: string[] | null;

  @Field(() => JsonScalar, { nullable: true, description: 'Facts, such as the first offending rows under `samples`.' })
  details!: unknown;
}

@ObjectType('Job', { description: 'A piece of work and how far it is.' })
export class JobType {
  @Field(() => ID, { description: 'Id of the job; opaque.' })
  id!: string;

  @Field(() => JobKindEnum, { description: 'What the job does.' })
  kind!: JobKind;

  @Field(() => String, { description: 'The name it was launched under.' })
  name!: string;

  @Field(() => String, { description: 'Agent id of the layer that answers for it.' })
  owner!: string;

  @Field(() => JobStateEnum, { description: 'Where it stands.' })
  state!: JobState;

  @Field(() => Boolean, {
    description:
      'Whether somebody has cancelled it. While it is not CANCELLED yet, its worker has not stopped, or its rows are being removed.',
  })
  cancelRequested!: boolean;

  @Field(() => JobStageEnum, { nullable: true, description: 'What it is doing; null unless it has begun.' })
  stage!: JobStage | null;

  @Field(() => JsonScalar, { description: 'The spec with every default filled in.' })
  spec!: unknown;

  @Field(() => Int, { description: 'Jobs with a higher number start first.' })
  priority!: number;

  @Field(() => Int, {
    description:
      'Tries begun, from 1; 0 before the first. Those that were paused, or whose worker stopped, do not count.',
  })
  attempt!: number;

  @Field(() => Int, { description: 'Attempts before a temporary failure counts as final.' })
  maxAttempts!: number;

  @Field(() => DateTimeScalar, { description: 'When it was launched.' })
  createdAt!: Date;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'When its first attempt began; after a verdict or a retry, the first one since.',
  })
  startedAt!: Date | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When it ended.' })
  finishedAt!: Date | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When a RETRYING job is tried again.' })
  dueAt!: Date | null;

  @Field(() => JobErrorType, { nullable: true, description: 'Why it failed, or why its last attempt did.' })
  error!: JobErrorType | null;

  @Field(() => JobProgressType, { description: 'How far it is.' })
  progress!: JobProgressType;

  @Field(() => LongScalar, { description: '`seq` of its last event; `jobEvents(afterSeq)` goes on from here.' })
  lastSeq!: number;

  @Field(() => ID, {
    nullable: true,
    description: 'The job whose quarantined rows it loads; null for a job with a source of its own.',
  })
  replayOf!: string | null;
}

@ObjectType('JobEdge', { description: 'A job and its place in the list.' })
class JobEdgeType {
  @Field(() => String, { description: 'Pass it as `after` for what follows.' })
  cursor!: string;

  @Field(() => JobType, { description: 'The job.' })
  node!: JobType;
}

@ObjectType('JobConnection', { description: 'A page of jobs.' })
export class JobConnectionType extends ConnectionType {
  @Field(() => [JobEdgeType], { description: 'The jobs of this page.' })
  edges!: JobEdgeType[];
}
