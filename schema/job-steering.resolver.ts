import { Arg, Ctx, Field, Mutation, ObjectType, Resolver } from 'type-graphql';
import type { Job } from '../src/jobs/job.js';
import type { GraphqlContext } from './context.js';
import { JobType } from './job.types.js';
import { CancelJobInput, PauseJobInput, ResumeJobInput, RetryJobInput } from './job-steering.inputs.js';
import { answering, UserErrorType } from './user-error.types.js';

/** What every way of steering a job answers. */
@ObjectType()
class SteeredJobPayload {
  @Field(() => JobType, {
    nullable: true,
    description: 'The job. One that was told to stop is still RUNNING until its worker has stopped.',
  })
  job!: Job | null;

  @Field(() => [UserErrorType], { description: 'Why it could not be done; empty when it was.' })
  userErrors!: UserErrorType[];
}

@ObjectType('CancelJobPayload', { description: 'Answer of `cancelJob`.' })
class CancelJobPayload extends SteeredJobPayload {
  @Field(() => Boolean, { description: 'Whether the job was cancelled before, so that nothing was left to do.' })
  replayed!: boolean;
}

@ObjectType('PauseJobPayload', { description: 'Answer of `pauseJob`.' })
class PauseJobPayload extends SteeredJobPayload {}

@ObjectType('ResumeJobPayload', { description: 'Answer of `resumeJob`.' })
class ResumeJobPayload extends SteeredJobPayload {}

@ObjectType('RetryJobPayload', { description: 'Answer of `retryJob`.' })
class RetryJobPayload extends SteeredJobPayload {}

const NONE: { readonly job: Job | null } = { job: null };

@Resolver()
export class JobSteeringResolver {
  @Mutation(() => CancelJobPayload, {
    description:
      'Stops a job for good. Chunks that are committed stay in an APPEND or UPSERT target and are counted in the job, unless `rollback` removes them by their `loadIdColumn`; a target that is published at the end is left as it was.',
  })
  cancelJob(
    @Ctx() { jobs, steering, caller }: GraphqlContext,
    @Arg('input', () => CancelJobInput, { description: 'Which job.' }) { id, rollback }: CancelJobInput,
  ): Promise<CancelJobPayload> {
    return answering<Omit<CancelJobPayload, 'userErrors'>>({ job: null, replayed: false }, async () => {
      const before = await jobs.get(caller, id);
      const job = await steering.cancel(caller, id, rollback === true);
      return { job, replayed: before?.state === 'CANCELLED' || before?.cancelRequested === true };
    });
  }

  @Mutation(() => PauseJobPayload, {
    description:
      'Holds a job until it is resumed. One that runs stops and keeps what is loaded; a part in hand is given back. The time until then does not count for its `timeout`. Pausing a paused job changes nothing.',
  })
  pauseJob(
    @Ctx() { steering, caller }: GraphqlContext,
    @Arg('input', () => PauseJobInput, { description: 'Which job.' }) { id }: PauseJobInput,
  ): Promise<PauseJobPayload> {
    return answering(NONE, async () => ({ job: await steering.pause(caller, id) }));
  }

  @Mutation(() => ResumeJobPayload, {
    description:
      'Lets a paused job go on, with the parts that are left when it has loaded some. A job that waits or runs stays as it is.',
  })
  resumeJob(
    @Ctx() { steering, caller }: GraphqlContext,
    @Arg('input', () => ResumeJobInput, { description: 'Which job.' }) { id }: ResumeJobInput,
  ): Promise<ResumeJobPayload> {
    return answering(NONE, async () => ({ job: await steering.resume(caller, id) }));
  }

  @Mutation(() => RetryJobPayload, {
    description:
      'Tries a FAILED or DEAD job again, with a new set of attempts; one that is RETRYING makes its next attempt now, and one that waits or runs stays as it is. A job that loads straight into an APPEND target goes on with the parts that are left, which are kept for 7 days; any other begins anew.',
  })
  retryJob(
    @Ctx() { steering, caller }: GraphqlContext,
    @Arg('input', () => RetryJobInput, { description: 'Which job.' }) { id }: RetryJobInput,
  ): Promise<RetryJobPayload> {
    return answering(NONE, async () => ({ job: await steering.retry(caller, id) }));
  }
}
