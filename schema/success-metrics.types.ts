import { Field, Float, ObjectType } from 'type-graphql';
import type { Objective, SuccessMetricName, SuccessMetricUnit } from '../src/jobs/monitors/success-metrics.js';
import { describedEnum } from './described-enum.js';
import { DurationScalar } from './scalars/duration.js';
import { LongScalar } from './scalars/long.js';

const SuccessMetricNameEnum = describedEnum<SuccessMetricName>(
  'SuccessMetricName',
  'The figures by which the service is judged. Cancelled jobs count in none of them, and neither do jobs and attempts that failed with INVALID_REQUEST: both are the doing of the caller.',
  {
    COMPLETION_RATE:
      'Of the jobs that ended, those that succeeded. A job that awaits a decision has not ended: it counts when it does.',
    THROUGHPUT:
      'Rows of parts committed into targets and quarantine, per minute in which at least one job was queued or running. Missed only while a job has been waiting for a worker for more than 10 s.',
    FAILURE_RATE:
      'Of the attempts that ended, those that failed, even if a later one succeeded; a failure that awaits a decision counts at once, and no second time when it is decided.',
    RETRY_SUCCESS: 'Of the jobs that ended after more than one attempt, those that succeeded.',
    TRANSFORMATION_ACCURACY:
      'Of the rows of runs that reached reconciliation, those whose reconciliation and re-check agree. Reconciliation: rows read are loaded, filtered, deduplicated, quarantined or reshaped, and all rows to be loaded are; for the 100 jobs that ended last, the counters are also compared with the record of each committed part; one difference counts all rows of the run. Re-check: a sample of the loaded rows is read back from the target and compared with what was evaluated; the share that differs counts for all rows that the run loaded. Runs of which nothing could be read back do not count; a file is what was evaluated and is not read back.',
  },
);

const SuccessMetricUnitEnum = describedEnum<SuccessMetricUnit>('SuccessMetricUnit', 'What a figure is measured in.', {
  PERCENT: '0 to 100.',
  RECORDS_PER_MINUTE: 'Rows a minute.',
});

const ObjectiveRelationEnum = describedEnum<Objective['relation']>(
  'ObjectiveRelation',
  'On which side of the bound the value has to be. A value that equals the bound misses the objective.',
  { ABOVE: 'More than the bound.', BELOW: 'Less than the bound.' },
);

@ObjectType('Objective', { description: 'What a figure should be.' })
class ObjectiveType {
  @Field(() => ObjectiveRelationEnum, { description: 'On which side of the bound.' })
  relation!: Objective['relation'];

  @Field(() => Float, { description: 'The bound, in the unit of the figure.' })
  bound!: number;
}

@ObjectType('SuccessMetric', { description: 'A figure of the service over a window that ends now.' })
export class SuccessMetricType {
  @Field(() => SuccessMetricNameEnum, { description: 'Which one.' })
  name!: SuccessMetricName;

  @Field(() => Float, { nullable: true, description: 'The figure; null when there is nothing to make it of.' })
  value!: number | null;

  @Field(() => SuccessMetricUnitEnum, { description: 'What it is measured in.' })
  unit!: SuccessMetricUnit;

  @Field(() => ObjectiveType, { description: 'What it should be.' })
  objective!: Objective;

  @Field(() => LongScalar, {
    description: 'What it is made of: jobs, attempts or rows, and for the throughput seconds with work.',
  })
  samples!: number;

  @Field(() => Boolean, {
    nullable: true,
    description:
      'Whether the objective is missed; null while there are too few samples to tell (20, or 60 s of work). False when there are none.',
  })
  breached!: boolean | null;

  @Field(() => DurationScalar, { name: 'window', description: 'The window that was asked for.' })
  windowMs!: number;
}
