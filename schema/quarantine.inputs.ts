import { Field, ID, InputType } from 'type-graphql';
import type { QuarantineStatus } from '../src/jobs/job.js';
import type { QuarantineFilter } from '../src/jobs/quarantine/ports.js';
import { QuarantineStatusEnum } from './job.enums.js';
import { JsonScalar } from './scalars/json.js';

@InputType('QuarantineFilter', { description: 'Which rows; every member that is set must hold.' })
export class QuarantineFilterInput {
  @Field(() => [QuarantineStatusEnum], { nullable: true, description: 'Rows of one of these statuses.' })
  statuses?: QuarantineStatus[] | null;

  @Field(() => String, { nullable: true, description: 'Rows with a reason of this code.' })
  code?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Rows with a reason on this column; with `code`, rows with one reason that has both.',
  })
  column?: string | null;
}

/** The filter of a job's rows; members that are null count as not set. */
export function quarantineFilter(jobId: string, filter: QuarantineFilterInput | null | undefined): QuarantineFilter {
  const { statuses, code, column } = filter ?? {};
  return {
    jobId,
    ...(statuses && { statuses }),
    ...(typeof code === 'string' && { code }),
    ...(typeof column === 'string' && { column }),
  };
}

@InputType('ReplayQuarantineInput', { description: 'Which rows to replay, and how.' })
export class ReplayQuarantineInput {
  @Field(() => ID, { description: 'The job that set the rows aside; it must have SUCCEEDED.' })
  jobId!: string;

  @Field(() => QuarantineFilterInput, {
    nullable: true,
    description:
      'Which rows. Without `statuses`: those that are FIXED, and with `specPatch` those that are OPEN too. Rows without values (records that could not be split) are never among them.',
  })
  filter?: QuarantineFilterInput | null;

  @Field(() => JsonScalar, {
    nullable: true,
    description:
      'JSON merge patch (RFC 7396) for the spec of the job: `steps`, `expectations`, `sink`, `options`. Lists are replaced as a whole.',
  })
  specPatch?: unknown;

  @Field(() => String, {
    nullable: true,
    description: 'The same key with the same input answers the first replay, and starts no other.',
  })
  idempotencyKey?: string | null;
}

@InputType('FixedRowInput', { description: 'A row and what some of its values are to be.' })
class FixedRowInput {
  @Field(() => ID, { description: 'Id of the row in quarantine.' })
  id!: string;

  @Field(() => JsonScalar, {
    description:
      'A JSON object of columns of the source and their values. Columns that are left out stay as they are; in a record that could not be split they are null.',
  })
  values!: unknown;
}

@InputType('SetColumnInput', { description: 'A column of the source and the expression that gives its value.' })
class SetColumnInput {
  @Field(() => String, { description: 'The column.' })
  column!: string;

  @Field(() => String, {
    description:
      "SQL expression over the columns of the same row, each of them text as it was read: `replace(quantity, 'x', '')`.",
  })
  expression!: string;
}

@InputType('FixQuarantinedRowsInput', {
  description: 'Which rows to fix, and how: either `rows`, or `set` for the rows of `filter`.',
})
export class FixQuarantinedRowsInput {
  @Field(() => ID, { description: 'The job that set the rows aside; it must have SUCCEEDED.' })
  jobId!: string;

  @Field(() => [FixedRowInput], { nullable: true, description: 'Rows with their values, 1 to 10,000.' })
  rows?: FixedRowInput[] | null;

  @Field(() => QuarantineFilterInput, {
    nullable: true,
    description: 'The rows that `set` is for, at most 100,000. Default: all that are OPEN or FIXED and have values.',
  })
  filter?: QuarantineFilterInput | null;

  @Field(() => [SetColumnInput], {
    nullable: true,
    description: 'Expressions, in order: each sees what those before it have set.',
  })
  set?: SetColumnInput[] | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Whether to tell only what would become of the rows. Default true.',
  })
  dryRun?: boolean | null;
}

@InputType('DiscardQuarantinedRowsInput', {
  description: 'Which rows to give up, and why: those of `ids`, or those of `filter`.',
})
export class DiscardQuarantinedRowsInput {
  @Field(() => ID, { description: 'The job that set the rows aside; it must have ended.' })
  jobId!: string;

  @Field(() => [ID], { nullable: true, description: 'Ids of the rows, 1 to 10,000.' })
  ids?: string[] | null;

  @Field(() => QuarantineFilterInput, {
    nullable: true,
    description: 'Which rows. Without it and without `ids`: all that are OPEN or FIXED.',
  })
  filter?: QuarantineFilterInput | null;

  @Field(() => String, { description: 'Why, 1 to 1,000 characters; it is kept with the rows.' })
  reason!: string;
}
