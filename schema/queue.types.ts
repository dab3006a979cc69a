import { Field, Float, ID, Int, ObjectType } from 'type-graphql';
import type { JobState } from '../src/jobs/job.js';
import type { UtilisationLevel } from '../src/jobs/monitors/rules.js';
import { describedEnum } from './described-enum.js';
import { JobStateEnum } from './job.enums.js';
import { DateTimeScalar } from './scalars/date-time.js';
import { LongScalar } from './scalars/long.js';

const UtilisationLevelEnum = describedEnum<UtilisationLevel>('UtilisationLevel', 'How busy the workers are.', {
  NORMAL: 'At most 70 % of the slots.',
  BUSY: 'More than 70 %.',
  OVERLOADED: 'More than 85 %: somebody is asked when it lasts.',
  CRITICAL: 'More than 95 %.',
});

@ObjectType('JobStateCount', { description: 'How many jobs are in a state.' })
class JobStateCountType {
  @Field(() => JobStateEnum, { description: 'The state.' })
  state!: JobState;

  @Field(() => LongScalar, {
    description: 'How many; of SUCCEEDED, FAILED and CANCELLED those that ended within the last hour.',
  })
  count!: number;
}

@ObjectType('QueuePause', { description: 'That a queue is paused.' })
class QueuePauseType {
  @Field(() => DateTimeScalar, { description: 'Since when.' })
  since!: Date;

  @Field(() => String, { description: 'Name of the token that asked for it.' })
  by!: string;

  @Field(() => String, { nullable: true, description: 'Why, in the words of whoever paused it.' })
  reason!: string | null;
}

@ObjectType('QueueWorker', { description: 'A process that runs jobs, of whatever tenant.' })
class QueueWorkerType {
  @Field(() => ID, { description: 'Host, process, and a random part.' })
  id!: string;

  @Field(() => Int, { description: 'Jobs that it handles at once.' })
  slots!: number;

  @Field(() => Int, { description: 'Those of them that are taken.' })
  busy!: number;

  @Field(() => DateTimeScalar, { description: 'When it told so; it does every 5 s.' })
  seenAt!: Date;
}

@ObjectType('QueueStats', { description: 'How the queue of the tenant stands.' })
export class QueueStatsType {
  @Field(() => DateTimeScalar, { description: 'At this moment.' })
  at!: Date;

  @Field(() => [JobStateCountType], { description: 'Jobs by state, every state once.' })
  counts!: JobStateCountType[];

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'Since when the job waits that has been QUEUED for longest; null when none is.',
  })
  oldestQueuedAt!: Date | null;

  @Field(() => QueuePauseType, { nullable: true, description: 'Null unless the queue is paused.' })
  pause!: QueuePauseType | null;

  @Field(() => [QueueWorkerType], { description: 'Workers that were seen within 15 s.' })
  workers!: QueueWorkerType[];

  @Field(() => Float, { nullable: true, description: 'Per cent of their slots that are taken; null without a worker.' })
  utilisation!: number | null;

  @Field(() => UtilisationLevelEnum, { nullable: true, description: 'The same in a word.' })
  utilisationLevel!: UtilisationLevel | null;
}
