import { Field, ID, InputType } from 'type-graphql';

/** What every way of steering a job takes. */
@InputType()
class SteeredJobInput {
  @Field(() => ID, { description: 'Id of the job.' })
  id!: string;
}

@InputType('CancelJobInput', { description: 'Which job to cancel.' })
export class CancelJobInput extends SteeredJobInput {
  @Field(() => Boolean, {
    nullable: true,
    description:
      'Whether no row of the job may stay in its target. A job that publishes at the end (REPLACE, `staged: true`, files) leaves none anyway. Of an APPEND with `loadIdColumn` they are removed, and the job is CANCELLED once they are. Any other that loads straight into its target is refused (ROLLBACK_NOT_POSSIBLE) once it loads, and runs on. Default false.',
  })
  rollback?: boolean | null;
}

@InputType('PauseJobInput', { description: 'Which job to pause.' })
export class PauseJobInput extends SteeredJobInput {}

@InputType('ResumeJobInput', { description: 'Which job to resume.' })
export class ResumeJobInput extends SteeredJobInput {}

@InputType('RetryJobInput', { description: 'Which job to retry.' })
export class RetryJobInput extends SteeredJobInput {}
