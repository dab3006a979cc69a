import { Field, InputType, Int } from 'type-graphql';
import { describedEnum } from './described-enum.js';
import { JsonScalar } from './scalars/json.js';

const ColumnType = describedEnum('ColumnType', 'Types that a column can be cast to.', {
  BOOLEAN: 'true or false.',
  SMALLINT: 'Whole number of 16 bits.',
  INTEGER: 'Whole number of 32 bits.',
  BIGINT: 'Whole number of 64 bits.',
  DECIMAL: 'Exact decimal number with `precision` and `scale`.',
  REAL: 'Floating-point number of 32 bits.',
  DOUBLE: 'Floating-point number of 64 bits.',
  TEXT: 'Text of any length.',
  DATE: 'A calendar date.',
  TIME: 'A time of day.',
  TIMESTAMP: 'Date and time without a time zone.',
  TIMESTAMPTZ: 'A moment, with a time zone.',
  UUID: 'A UUID.',
  JSON: 'Any JSON value.',
  BINARY: 'Bytes.',
});
type ColumnTypeName = keyof typeof ColumnType;

const NormalizeOperation = describedEnum('NormalizeOperation', 'What `normalize` does to a text.', {
  TRIM: 'Remove white space at both ends.',
  LOWER: 'Lower case.',
  UPPER: 'Upper case.',
  COLLAPSE_WHITESPACE: 'Every run of white space becomes one space.',
  NFC: 'Unicode normalization form C.',
});

const UnmappedValue = describedEnum('UnmappedValue', 'What `map` does with a value that has no entry.', {
  KEEP: 'Leave it as it is.',
  NULL: 'Make it NULL.',
  QUARANTINE: 'Set the row aside.',
  DEFAULT: 'Use `default`.',
});

const DeduplicateKeep = describedEnum('DeduplicateKeep', 'Which of the rows with the same keys stays.', {
  FIRST: 'The first one.',
  LAST: 'The last one.',
});

@InputType('SelectStepInput', { description: 'Keep these columns only, in this order.' })
class SelectStepInput {
  @Field(() => [String], { description: 'Columns to keep.' })
  columns!: string[];
}

@InputType('DropStepInput', { description: 'Remove columns.' })
class DropStepInput {
  @Field(() => [String], { description: 'Columns to remove.' })
  columns!: string[];
}

@InputType('RenameColumnInput', { description: 'A new name for a column.' })
class RenameColumnInput {
  @Field(() => String, { description: 'The name it has.' })
  from!: string;

  @Field(() => String, { description: 'The name it gets.' })
  to!: string;
}

@InputType('RenameStepInput', { description: 'Rename columns.' })
class RenameStepInput {
  @Field(() => [RenameColumnInput], { description: 'Old and new names.' })
  columns!: RenameColumnInput[];
}

@InputType('CastColumnInput', { description: 'A column and the type it gets.' })
class CastColumnInput {
  @Field(() => String, { description: 'The column.' })
  name!: string;

  @Field(() => ColumnType, { description: 'The type it gets.' })
  type!: ColumnTypeName;

  @Field(() => Int, { nullable: true, description: 'Digits of a DECIMAL, 1 to 38. Default 18.' })
  precision?: number | null;

  @Field(() => Int, { nullable: true, description: 'Digits after the point of a DECIMAL. Default 3.' })
  scale?: number | null;

  @Field(() => String, { nullable: true, description: 'How a date or time is written, such as `%d.%m.%Y`.' })
  format?: string | null;
}

@InputType('CastStepInput', { description: 'Change column types; a row whose value does not fit is set aside.' })
class CastStepInput {
  @Field(() => [CastColumnInput], { description: 'Columns and their types.' })
  columns!: CastColumnInput[];
}

@InputType('DeriveStepInput', { description: 'A new column from an SQL expression, or a new value for an old one.' })
class DeriveStepInput {
  @Field(() => String, { description: 'The column to make or replace.' })
  column!: string;

  @Field(() => String, { description: 'SQL over the columns of the row, such as `quantity * unit_price`.' })
  expression!: string;
}

@InputType('FilterStepInput', { description: 'Keep the rows for which an SQL expression is true.' })
class FilterStepInput {
  @Field(() => String, { description: "SQL over the columns of the row, such as `status <> 'draft'`." })
  expression!: string;
}

@InputType('NormalizeStepInput', { description: 'Tidy texts.' })
class NormalizeStepInput {
  @Field(() => [String], { description: 'Text columns to tidy.' })
  columns!: string[];

  @Field(() => [NormalizeOperation], { description: 'What to do, in order.' })
  operations!: (keyof typeof NormalizeOperation)[];
}

@InputType('DefaultColumnInput', { description: 'A column and its value where it is NULL.' })
class DefaultColumnInput {
  @Field(() => String, { description: 'The column.' })
  name!: string;

  @Field(() => JsonScalar, { description: 'The value: a string, a number or a boolean.' })
  value!: unknown;
}

@InputType('DefaultStepInput', { description: 'Replace NULL.' })
class DefaultStepInput {
  @Field(() => [DefaultColumnInput], { description: 'Columns and their values.' })
  columns!: DefaultColumnInput[];
}

@InputType('MapEntryInput', { description: 'One entry of a lookup table.' })
class MapEntryInput {
  @Field(() => String, { description: 'The value as text.' })
  from!: string;

  @Field(() => String, { description: 'What it becomes.' })
  to!: string;
}

@InputType('MapStepInput', { description: 'Replace values by a lookup table.' })
class MapStepInput {
  @Field(() => String, { description: 'The column to look up.' })
  column!: string;

  @Field(() => [MapEntryInput], { description: 'The lookup table.' })
  entries!: MapEntryInput[];

  @Field(() => String, { nullable: true, description: 'The column that gets the result. Default: `column` itself.' })
  into?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'The result for values without an entry, with `unmapped: DEFAULT`.',
  })
  default?: string | null;

  @Field(() => UnmappedValue, { nullable: true, description: 'What happens to values without an entry. Default KEEP.' })
  unmapped?: keyof typeof UnmappedValue | null;
}

@InputType('DeduplicateStepInput', { description: 'Keep one row of those with the same keys, over the whole source.' })
class DeduplicateStepInput {
  @Field(() => [String], { description: 'Columns that are the same in duplicates.' })
  keys!: string[];

  @Field(() => DeduplicateKeep, { nullable: true, description: 'Which row stays. Default FIRST.' })
  keep?: keyof typeof DeduplicateKeep | null;

  @Field(() => String, { nullable: true, description: 'Column that orders them. Default: the order of the source.' })
  orderBy?: string | null;
}

@InputType('SqlStepInput', { description: 'One SELECT over all rows, which are the table `input`.' })
class SqlStepInput {
  @Field(() => String, {
    description: 'The SELECT, such as `select day, sum(total) as total from input group by day`.',
  })
  query!: string;
}

@InputType('StepInput', { description: 'One step of a pipeline. Exactly one member is set.' })
export class StepInput {
  @Field(() => SelectStepInput, { nullable: true, description: 'Keep these columns only, in this order.' })
  select?: SelectStepInput | null;

  @Field(() => DropStepInput, { nullable: true, description: 'Remove columns.' })
  drop?: DropStepInput | null;

  @Field(() => RenameStepInput, { nullable: true, description: 'Rename columns.' })
  rename?: RenameStepInput | null;

  @Field(() => CastStepInput, { nullable: true, description: 'Change column types.' })
  cast?: CastStepInput | null;

  @Field(() => DeriveStepInput, { nullable: true, description: 'A new column from an SQL expression.' })
  derive?: DeriveStepInput | null;

  @Field(() => FilterStepInput, { nullable: true, description: 'Keep the rows for which an SQL expression is true.' })
  filter?: FilterStepInput | null;

  @Field(() => NormalizeStepInput, { nullable: true, description: 'Tidy texts.' })
  normalize?: NormalizeStepInput | null;

  @Field(() => DefaultStepInput, { nullable: true, description: 'Replace NULL.' })
  default?: DefaultStepInput | null;

  @Field(() => MapStepInput, { nullable: true, description: 'Replace values by a lookup table.' })
  map?: MapStepInput | null;

  @Field(() => DeduplicateStepInput, { nullable: true, description: 'Keep one row of those with the same keys.' })
  deduplicate?: DeduplicateStepInput | null;

  @Field(() => SqlStepInput, { nullable: true, description: 'One SELECT over all rows.' })
  sql?: SqlStepInput | null;
}
