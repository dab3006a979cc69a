import { Field, ID, ObjectType } from 'type-graphql';
import type { JobEventKind } from '../src/jobs/events.js';
import type { JobKind, JobStage, JobState } from '../src/jobs/job.js';
import { describedEnum } from './described-enum.js';
import { JobKindEnum, JobStageEnum, JobStateEnum } from './job.enums.js';
import { JobErrorType } from './job.types.js';
import { JobProgressType } from './job-progress.types.js';
import { DateTimeScalar } from './scalars/date-time.js';
import { LongScalar } from './scalars/long.js';

const JobEventKindEnum = describedEnum<JobEventKind>('JobEventKind', 'What an event tells.', {
  SNAPSHOT: 'How things stand; the first event of a subscription.',
  STATE: 'The job has another state. Never left out.',
  STAGE: 'The job does something else now. Never left out.',
  CHUNK: 'Chunks were committed. Several may be told as one: the latest.',
  PROGRESS: 'The stage has moved on. Not stored; the latest wins.',
  LAGGED: 'You read slowly, and CHUNK or PROGRESS events were merged meanwhile. No state change is missing.',
});

@ObjectType('JobEvent', { description: 'Something that happened to a job.' })
export class JobEventType {
  @Field(() => ID, { description: 'The job.' })
  jobId!: string;

  @Field(() => String, { description: 'Name of the job.' })
  jobName!: string;

  @Field(() => JobKindEnum, { description: 'Kind of the job.' })
  jobKind!: JobKind;

  @Field(() => LongScalar, {
    description:
      'Number of the event, from 1 and gapless per job over stored events. Whatever the kind of the last event you got, `afterSeq` with its `seq` goes on without gap or repeat.',
  })
  seq!: number;

  @Field(() => DateTimeScalar, { description: 'When it happened.' })
  at!: Date;

  @Field(() => JobEventKindEnum, { description: 'What the event tells.' })
  kind!: JobEventKind;

  @Field(() => JobStateEnum, { description: 'State of the job after the event.' })
  state!: JobState;

  @Field(() => JobStageEnum, { nullable: true, description: 'Stage of the job after the event.' })
  stage!: JobStage | null;

  @Field(() => JobProgressType, { description: 'How far the job is; within a subscription no count ever goes down.' })
  progress!: JobProgressType;

  @Field(() => String, { nullable: true, description: 'A sentence for people.' })
  message!: string | null;

  @Field(() => JobErrorType, { nullable: true, description: 'Why the job or its attempt failed.' })
  error!: JobErrorType | null;
}
