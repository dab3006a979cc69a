import { Field, InputType } from 'type-graphql';
import type { QuarantineStatus } from '../src/jobs/job.js';
import type { QuarantineFilter } from '../src/jobs/quarantine/ports.js';
import { QuarantineStatusEnum } from './job.enums.js';

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
