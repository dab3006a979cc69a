import { Field, InputType } from 'type-graphql';
import type { JobKind, JobState } from '../src/jobs/job.js';
import type { JobFilter, JobOrder } from '../src/jobs/job-service.js';
import { describedEnum } from './described-enum.js';
import { JobKindEnum, JobStateEnum } from './job.enums.js';
import { DateTimeScalar } from './scalars/date-time.js';

const JobOrderField = describedEnum<JobOrder['field']>('JobOrderField', 'What jobs are sorted by.', {
  CREATED_AT: 'When they were launched.',
  FINISHED_AT: 'When they ended; unfinished ones come first in descending order.',
  NAME: 'Their name.',
  PRIORITY: 'Their priority.',
});

const OrderDirection = describedEnum<JobOrder['direction']>('OrderDirection', 'Which end of a list comes first.', {
  ASC: 'Smallest or oldest first.',
  DESC: 'Largest or newest first.',
});

@InputType('JobOrder', { description: 'How a list of jobs is sorted.' })
export class JobOrderInput implements JobOrder {
  @Field(() => JobOrderField, { description: 'What to sort by.' })
  field!: JobOrder['field'];

  @Field(() => OrderDirection, { description: 'Which end comes first.' })
  direction!: JobOrder['direction'];
}

@InputType('JobFeedFilter', { description: 'Which jobs; every member that is set must hold.' })
export class JobFeedFilterInput {
  @Field(() => [JobStateEnum], { nullable: true, description: 'Jobs in one of these states.' })
  states?: JobState[] | null;

  @Field(() => [JobKindEnum], { nullable: true, description: 'Jobs of one of these kinds.' })
  kinds?: JobKind[] | null;

  @Field(() => String, { nullable: true, description: 'Jobs of exactly this name.' })
  name?: string | null;
}

@InputType('JobFilter', { description: 'Which jobs; every member that is set must hold.' })
export class JobFilterInput extends JobFeedFilterInput {
  @Field(() => String, { nullable: true, description: 'Part of the name or the id, in any case.' })
  search?: string | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'Launched at or after this moment.' })
  createdAfter?: Date | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'Launched before this moment.' })
  createdBefore?: Date | null;
}

/** The members that are set; null counts as unset. */
export function jobFilter(input: JobFilterInput | null | undefined): JobFilter {
  const { states, kinds, name, search, createdAfter, createdBefore } = input ?? {};
  return {
    ...(states && { states }),
    ...(kinds && { kinds }),
    ...(typeof name === 'string' && { name }),
    ...(typeof search === 'string' && { search }),
    ...(createdAfter && { createdAfter }),
    ...(createdBefore && { createdBefore }),
  };
}
