import { Field, ID, Int, ObjectType } from 'type-graphql';
import type { QuarantineStatus } from '../src/jobs/job.js';
import { QuarantineStatusEnum } from './job.enums.js';
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

  @Field(() => Int, {
    nullable: true,
    description: 'Position in the spec of the expectation that it broke; null when a step or the source set it aside.',
  })
  expectation?: number | null;
}

@ObjectType('QuarantineChange', { description: 'Something that was done to a quarantined row.' })
class QuarantineChangeType {
  @Field(() => DateTimeScalar, { description: 'When.' })
  at!: Date;

  @Field(() => String, { description: 'Name of the token of whoever did it.' })
  by!: string;

  @Field(() => QuarantineStatusEnum, { description: 'What it became: FIXED or DISCARDED.' })
  status!: QuarantineStatus;

  @Field(() => String, {
    nullable: true,
    description: 'The fixed values that it had before, a JSON object as text; null when there were none.',
  })
  before!: string | null;

  @Field(() => String, { nullable: true, description: 'Why it was discarded.' })
  reason!: string | null;
}

@ObjectType('QuarantinedRow', { description: 'A row that was set aside instead of being loaded.' })
export class QuarantinedRowType {
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

  @Field(() => QuarantineStatusEnum, { description: 'What became of it.' })
  status!: QuarantineStatus;

  @Field(() => String, {
    nullable: true,
    description:
      'The values that a replay takes in place of the record, a JSON object of the columns of the source as text; null when nobody has fixed it.',
  })
  fixedValues!: string | null;

  @Field(() => [QuarantineChangeType], { description: 'What was done to it, oldest first.' })
  history!: QuarantineChangeType[];

  @Field(() => ID, { nullable: true, description: 'The job that loads it after all, or has.' })
  replayJobId!: string | null;

  @Field(() => ID, {
    nullable: true,
    description: 'In the quarantine of a replay: id of the row that was replayed and was bad again.',
  })
  originId!: string | null;

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

@ObjectType('QuarantineGroup', { description: 'Rows that were set aside for the same reason.' })
class QuarantineGroupType {
  @Field(() => String, { description: 'Which check they broke.' })
  code!: string;

  @Field(() => String, { nullable: true, description: 'The column at fault; null when it is the whole record.' })
  column!: string | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Position in the spec of the expectation that they broke; null when it was none.',
  })
  expectation!: number | null;

  @Field(() => LongScalar, { description: 'How many rows.' })
  rows!: number;

  @Field(() => QuarantinedRowType, { description: 'The first of them.' })
  sample!: QuarantinedRowType;
}

@ObjectType('QuarantineCount', { description: 'How many rows have a status.' })
class QuarantineCountType {
  @Field(() => QuarantineStatusEnum, { description: 'The status.' })
  status!: QuarantineStatus;

  @Field(() => LongScalar, { description: 'How many rows have it.' })
  rows!: number;
}

@ObjectType('QuarantineOverview', { description: 'The quarantined rows of a job by what is wrong with them.' })
export class QuarantineOverviewType {
  @Field(() => [QuarantineGroupType], {
    description: 'The largest groups first. A row with several reasons is in several groups.',
  })
  groups!: QuarantineGroupType[];

  @Field(() => Int, { description: 'How many groups there are.' })
  totalGroups!: number;

  @Field(() => [QuarantineCountType], {
    description: 'How many of the rows have which status; each row is counted once.',
  })
  counts!: QuarantineCountType[];
}
