import { Field, ObjectType } from 'type-graphql';
import { ExpectationOutcomeType } from './expectation-outcome.types.js';
import { QuarantineReasonType } from './quarantine.types.js';
import { LongScalar } from './scalars/long.js';
import { UserErrorType } from './user-error.types.js';

@ObjectType('PreviewColumn', { description: 'A column after a step.' })
class PreviewColumnType {
  @Field(() => String, { description: 'Name of the column.' })
  name!: string;

  @Field(() => String, { description: 'Type of the column inside the engine, such as `DECIMAL(12,2)`.' })
  type!: string;
}

@ObjectType('PreviewStage', { description: 'The data after one step.' })
class PreviewStageType {
  @Field(() => String, { description: '`source`, or the step such as `steps[2] derive`.' })
  name!: string;

  @Field(() => [PreviewColumnType], { description: 'Columns at this point.' })
  columns!: PreviewColumnType[];

  @Field(() => [String], { description: 'First rows as JSON text, so that no number loses a digit.' })
  rows!: string[];
}

@ObjectType('PreviewQuarantinedRow', { description: 'A row that would be set aside.' })
class PreviewQuarantinedRowType {
  @Field(() => LongScalar, {
    nullable: true,
    description: 'Number of the record in its file, from 1; null when a `sql` step made it.',
  })
  rowNumber!: number | null;

  @Field(() => [QuarantineReasonType], { description: 'Every check it breaks.' })
  reasons!: QuarantineReasonType[];

  @Field(() => String, { description: 'The record as it was read.' })
  raw!: string;
}

@ObjectType('Preview', { description: 'What a pipeline would do. Nothing is loaded.' })
class PreviewType {
  @Field(() => [PreviewStageType], { description: 'The first rows at the source and after every step.' })
  stages!: PreviewStageType[];

  @Field(() => String, { description: 'The SQL that makes the loaded rows.' })
  sql!: string;

  @Field(() => [ExpectationOutcomeType], { description: 'What would come of each expectation.' })
  expectations!: ExpectationOutcomeType[];

  @Field(() => LongScalar, { description: 'Rows that were read for the preview.' })
  rowsRead!: number;

  @Field(() => LongScalar, { description: 'Rows among them that would be set aside.' })
  rowsQuarantined!: number;

  @Field(() => [PreviewQuarantinedRowType], { description: 'The first of those rows.' })
  quarantined!: PreviewQuarantinedRowType[];
}

@ObjectType('PreviewEtlPayload', { description: 'Answer of `previewEtl`.' })
export class PreviewEtlPayload {
  @Field(() => PreviewType, { nullable: true, description: 'What the pipeline would do; null when it has mistakes.' })
  preview!: PreviewType | null;

  @Field(() => [UserErrorType], { description: 'Mistakes in the pipeline.' })
  userErrors!: UserErrorType[];
}

@ObjectType('InferredColumn', { description: 'A column found in a source.' })
class InferredColumnType {
  @Field(() => String, { description: 'Name of the column.' })
  name!: string;

  @Field(() => String, { description: 'The type that the source itself has.' })
  sourceType!: string;

  @Field(() => String, { description: 'The type that every sampled value fits; pass it to `cast`.' })
  suggestedType!: string;

  @Field(() => Boolean, { description: 'Whether some sampled values are NULL.' })
  nullable!: boolean;

  @Field(() => [String], { description: 'Some values, as text.' })
  samples!: string[];
}

@ObjectType('InferSchemaPayload', { description: 'Answer of `inferSchema`.' })
export class InferSchemaPayload {
  @Field(() => [InferredColumnType], { description: 'Columns of the source, in order; empty when it has mistakes.' })
  columns!: InferredColumnType[];

  @Field(() => [UserErrorType], { description: 'Mistakes in the source.' })
  userErrors!: UserErrorType[];
}
