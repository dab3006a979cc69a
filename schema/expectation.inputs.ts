import { Field, Float, InputType, Int } from 'type-graphql';
import { describedEnum } from './described-enum.js';
import { JsonScalar } from './scalars/json.js';
import { LongScalar } from './scalars/long.js';

export const SeverityEnum = describedEnum('Severity', 'What happens to rows that break an expectation.', {
  WARN: 'They are counted and loaded.',
  QUARANTINE: 'They are set aside.',
  FAIL: 'More of them than the threshold stop the job before anything is published.',
});

@InputType('ThresholdInput', { description: 'How many violations are borne. Without limits: none.' })
class ThresholdInput {
  @Field(() => LongScalar, { nullable: true, description: 'Most rows.' })
  count?: number | bigint | null;

  @Field(() => Float, { nullable: true, description: 'Most per cent of the rows, 0 to 100.' })
  percent?: number | null;

  @Field(() => LongScalar, {
    nullable: true,
    description: 'Rows that there must be before `percent` counts. Default 0.',
  })
  minRows?: number | bigint | null;
}

@InputType('NotNullExpectationInput', { description: 'The column has a value in every row.' })
class NotNullExpectationInput {
  @Field(() => String, { description: 'The column.' })
  column!: string;
}

@InputType('UniqueExpectationInput', { description: 'No two rows have the same values.' })
class UniqueExpectationInput {
  @Field(() => [String], { description: 'The columns that are unique together.' })
  columns!: string[];
}

@InputType('InSetExpectationInput', { description: 'The value is one of a list; NULL passes.' })
class InSetExpectationInput {
  @Field(() => String, { description: 'The column.' })
  column!: string;

  @Field(() => [String], { description: 'The allowed values, as text.' })
  values!: string[];
}

@InputType('RangeExpectationInput', { description: 'The value lies between two limits; NULL passes.' })
class RangeExpectationInput {
  @Field(() => String, { description: 'The column.' })
  column!: string;

  @Field(() => JsonScalar, { nullable: true, description: 'Lower limit: a number, or a string such as a date.' })
  min?: unknown;

  @Field(() => JsonScalar, { nullable: true, description: 'Upper limit: a number, or a string such as a date.' })
  max?: unknown;

  @Field(() => Boolean, { nullable: true, description: 'Whether `min` itself is outside. Default false.' })
  minExclusive?: boolean | null;

  @Field(() => Boolean, { nullable: true, description: 'Whether `max` itself is outside. Default false.' })
  maxExclusive?: boolean | null;
}

@InputType('LengthExpectationInput', { description: 'The text has so many characters; NULL passes.' })
class LengthExpectationInput {
  @Field(() => String, { description: 'The column.' })
  column!: string;

  @Field(() => Int, { nullable: true, description: 'Fewest characters.' })
  min?: number | null;

  @Field(() => Int, { nullable: true, description: 'Most characters.' })
  max?: number | null;
}

@InputType('RegexExpectationInput', { description: 'The text matches a regular expression; NULL passes.' })
class RegexExpectationInput {
  @Field(() => String, { description: 'The column.' })
  column!: string;

  @Field(() => String, {
    description: 'The pattern in RE2 syntax; it may match anywhere, so anchor it with `^` and `$`.',
  })
  pattern!: string;
}

@InputType('ExpressionExpectationInput', { description: 'An SQL expression is true for every row.' })
class ExpressionExpectationInput {
  @Field(() => String, { description: 'SQL over the columns of the row, such as `shipped_at >= ordered_at`.' })
  expression!: string;

  @Field(() => String, { nullable: true, description: 'What it means, for the report.' })
  description?: string | null;
}

@InputType('RowCountExpectationInput', { description: 'The source has so many rows.' })
class RowCountExpectationInput {
  @Field(() => LongScalar, { nullable: true, description: 'Fewest rows.' })
  min?: number | bigint | null;

  @Field(() => LongScalar, { nullable: true, description: 'Most rows.' })
  max?: number | bigint | null;
}

@InputType('ExpectationInput', {
  description: 'What must hold for the data. Exactly one of the members other than `severity` and `threshold` is set.',
})
export class ExpectationInput {
  @Field(() => NotNullExpectationInput, { nullable: true, description: 'The column has a value.' })
  notNull?: NotNullExpectationInput | null;

  @Field(() => UniqueExpectationInput, { nullable: true, description: 'No two rows have the same values.' })
  unique?: UniqueExpectationInput | null;

  @Field(() => InSetExpectationInput, { nullable: true, description: 'The value is one of a list.' })
  inSet?: InSetExpectationInput | null;

  @Field(() => RangeExpectationInput, { nullable: true, description: 'The value lies between two limits.' })
  range?: RangeExpectationInput | null;

  @Field(() => LengthExpectationInput, { nullable: true, description: 'The text has so many characters.' })
  length?: LengthExpectationInput | null;

  @Field(() => RegexExpectationInput, { nullable: true, description: 'The text matches a regular expression.' })
  regex?: RegexExpectationInput | null;

  @Field(() => ExpressionExpectationInput, { nullable: true, description: 'An SQL expression is true.' })
  expression?: ExpressionExpectationInput | null;

  @Field(() => RowCountExpectationInput, { nullable: true, description: 'The source has so many rows.' })
  rowCount?: RowCountExpectationInput | null;

  @Field(() => SeverityEnum, { nullable: true, description: 'What happens to rows that break it. Default FAIL.' })
  severity?: keyof typeof SeverityEnum | null;

  @Field(() => ThresholdInput, { nullable: true, description: 'How many violations are borne. Default none.' })
  threshold?: ThresholdInput | null;
}
