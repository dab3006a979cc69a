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
