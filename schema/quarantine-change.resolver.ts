import { Arg, Ctx, Field, Int, Mutation, ObjectType, Resolver } from 'type-graphql';
import type { Job } from '../src/jobs/job.js';
import type { GraphqlContext } from './context.js';
import { JobType } from './job.types.js';
import { storable } from './plain-pipeline.js';
import { quarantineFilter, ReplayQuarantineInput } from './quarantine.inputs.js';
import { answering, UserErrorType } from './user-error.types.js';

@ObjectType('ReplayQuarantinePayload', { description: 'Answer of `replayQuarantine`.' })
class ReplayQuarantinePayload {
  @Field(() => JobType, { nullable: true, description: 'The job that loads the rows; null when it was not started.' })
  job!: Job | null;

  @Field(() => Int, { description: 'How many rows it has claimed; 0 once it has given them back.' })
  rows!: number;

  @Field(() => Boolean, { description: 'Whether an earlier replay with the same `idempotencyKey` is the answer.' })
  replayed!: boolean;

  @Field(() => [UserErrorType], { description: 'Why nothing is replayed; empty when something is.' })
  userErrors!: UserErrorType[];
}

@Resolver()
export class QuarantineChangeResolver {
  @Mutation(() => ReplayQuarantinePayload, {
    description:
      'Loads quarantined rows after all, by a job of its own through the pipeline of the job that set them aside. Each row goes once: it is REPLAYING from now on, REPLAYED with the success of the job, and what it was before when the job ends otherwise. A row that is bad again is in the quarantine of the replay. At most 250,000 rows at once. A target that is replaced as a whole is refused.',
  })
  replayQuarantine(
    @Ctx() { quarantine, caller }: GraphqlContext,
    @Arg('input', () => ReplayQuarantineInput, { description: 'Which rows, and how.' }) input: ReplayQuarantineInput,
  ): Promise<ReplayQuarantinePayload> {
    return answering<Omit<ReplayQuarantinePayload, 'userErrors'>>({ job: null, rows: 0, replayed: false }, () =>
      quarantine.replay(caller, {
        filter: quarantineFilter(input.jobId, input.filter),
        specPatch: storable(input.specPatch ?? null),
        idempotencyKey: input.idempotencyKey ?? null,
      }),
    );
  }
}
