import { Field, Float, Int, ObjectType } from 'type-graphql';
import { describedEnum } from './described-enum.js';
import { SeverityEnum } from './expectation.inputs.js';
import { LongScalar } from './scalars/long.js';

const ExpectationStatus = describedEnum('ExpectationStatus', 'What came of an expectation.', {
  PASSED: 'No violation, or none that counts under its threshold.',
  WARNED: 'Violations were counted; the rows were loaded.',
  QUARANTINED: 'The rows that broke it were set aside.',
  FAILED: 'It stopped the job.',
});

@ObjectType('ExpectationSample', { description: 'A record that breaks an expectation.' })
class ExpectationSampleType {
  @Field(() => LongScalar, {
    nullable: true,
    description: 'Number of the record in its file, from 1; null when a `sql` step made it.',
  })
  rowNumber!: number | null;

  @Field(() => String, { description: 'The record as JSON text, as it was read.' })
  raw!: string;
}

@ObjectType('ExpectationOutcome', { description: 'One line of the data quality report.' })
export class ExpectationOutcomeType {
  @Field(() => Int, { description: 'Position in the spec, from 0.' })
  ordinal!: number;

  @Field(() => String, { description: 'Which expectation it is, such as `range`.' })
  kind!: string;

  @Field(() => String, { description: 'What is expected, for people.' })
  description!: string;

  @Field(() => SeverityEnum, { description: 'What happens to rows that break it.' })
  severity!: keyof typeof SeverityEnum;

  @Field(() => LongScalar, { description: 'Rows it was judged on.' })
  evaluated!: number;

  @Field(() => LongScalar, { description: 'Rows that break it.' })
  failed!: number;

  @Field(() => Float, { description: '100 * failed / evaluated; 0 when nothing was evaluated.' })
  percent!: number;

  @Field(() => ExpectationStatus, { description: 'What came of it.' })
  status!: keyof typeof ExpectationStatus;

  @Field(() => [ExpectationSampleType], { description: 'The first violations in the order of the source, at most 10.' })
  samples!: ExpectationSampleType[];
}
