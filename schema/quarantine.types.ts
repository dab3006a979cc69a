import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { ConnectionType } from './page.types.js';
import { DateTimeScalar } from './scalars/date-time.js';
import { LongScalar } from './scalars/long.js';

@ObjectType('QuarantineReason', { description: 'Why a row was set aside.' })
export class QuarantineReasonType {
  @Field(() => String, { nullable: true, description: 'The column at fault; null when it is the whole record.' })
  column!: string | null;

  @Field(() => String, { description: 'Which check it broke, such as `cast` or `range`.' })
  code!: string;

  @Field(() => String, { description: 'A sentence for people.' })
  message!: string;
}

@ObjectType('QuarantinedRow', { description: 'A row that was set aside instead of being loaded.' })
class QuarantinedRowType {
  @Field(() => ID, { description: 'Id of the row in quarantine.' })
  id!: string;

  @Field(() => ID, { description: 'The job that set it aside.' })
  jobId!: string;

  @Field(() => Int, { description: 'The chunk that brought it here, from 0.' })
  chunk!: number;

  @Field(() => LongScalar, {
    nullable: true,
    description: 'Number of the record in its file, from 1; null when a `sql` step made it.',
  })
  rowNumber!: number | null;

  @Field(() => String, { nullable: true, description: 'URI of the file it comes from.' })
  file!: string | null;

  @Field(() => [QuarantineReasonType], { description: 'Every check it broke.' })
  reasons!: QuarantineReasonType[];

  @Field(() => String, {
    description: 'The record as it was read: JSON text, or the raw line when it has the wrong shape.',
  })
  raw!: string;

  @Field(() => DateTimeScalar, { description: 'When it was set aside.' })
  createdAt!: Date;
}

@ObjectType('QuarantineEdge', { description: 'A row and its place in the list.' })
class QuarantineEdgeType {
  @Field(() => String, { description: 'Pass it as `after` for what follows.' })
  cursor!: string;

  @Field(() => QuarantinedRowType, { description: 'The row.' })
  node!: QuarantinedRowType;
}

@ObjectType('QuarantineConnection', {
  description: 'A page of quarantined rows, in the order in which they were set aside.',
})
export class QuarantineConnectionType extends ConnectionType {
  @Field(() => [QuarantineEdgeType], { description: 'The rows of this page.' })
  edges!: QuarantineEdgeType[];
}

@InputType('QuarantineFilter', { description: 'Which rows; every member that is set must hold.' })
export class QuarantineFilterInput {
  @Field(() => String, { nullable: true, description: 'Rows with a reason of this code.' })
  code?: string | null;

  @Field(() => String, { nullable: true, description: 'Rows with a reason on this column.' })
  column?: string | null;
}
