import { Arg, Ctx, Field, FieldResolver, ID, Int, Mutation, ObjectType, Query, Resolver, Root } from 'type-graphql';
import { SluiceError } from '../src/core/errors.js';
import type { Job } from '../src/jobs/job.js';
import type { GraphqlContext } from './context.js';
import { ExpectationOutcomeType } from './expectation-outcome.types.js';
import { JobFilterInput, JobOrderInput, jobFilter } from './job.inputs.js';
import { JobConnectionType, JobType } from './job.types.js';
import { JobAttemptType } from './job-attempt.types.js';
import { connectionOf, pageRequest } from './page.types.js';
import { LaunchEtlJobInput } from './pipeline.inputs.js';
import { plainPipeline } from './plain-pipeline.js';
import { QuarantineConnectionType } from './quarantine.types.js';
import { answering, UserErrorType } from './user-error.types.js';

const DEFAULT_OWNER = 'layer-12';

@ObjectType('LaunchEtlJobPayload', { description: 'Answer of `launchEtlJob`.' })
class LaunchEtlJobPayload {
  @Field(() => JobType, { nullable: true, description: 'The job; null when the input has mistakes.' })
  job!: Job | null;

  @Field(() => Boolean, { description: 'Whether an earlier launch with the same `idempotencyKey` made the job.' })
  replayed!: boolean;

  @Field(() => [UserErrorType], { description: 'Mistakes in the input; empty when the job was launched.' })
  userErrors!: UserErrorType[];
}

@Resolver(() => JobType)
export class JobResolver {
  @Query(() => JobType, { nullable: true, description: 'A job by its id; null when there is none.' })
  job(
    @Ctx() { jobs, caller }: GraphqlContext,
    @Arg('id', () => ID, { description: 'Id of the job.' }) id: string,
  ): Promise<Job | null> {
    return jobs.get(caller, id);
  }

  @Query(() => JobConnectionType, { description: 'Jobs, newest first unless `orderBy` says otherwise.' })
  async jobs(
    @Ctx() { jobs, caller }: GraphqlContext,
    @Arg('filter', () => JobFilterInput, { nullable: true, description: 'Which jobs. Default: all.' })
    filter: JobFilterInput | null,
    @Arg('orderBy', () => JobOrderInput, { nullable: true, description: 'How they are sorted. Default: newest first.' })
    orderBy: JobOrderInput | null,
    @Arg('first', () => Int, { defaultValue: 20, description: 'How many, 1 to 100.' }) first: number,
    @Arg('after', () => String, { nullable: true, description: 'Cursor of the item before the page.' })
    after: string | null,
  ) {
    const request = pageRequest(first, after);
    const order = orderBy ?? { field: 'CREATED_AT', direction: 'DESC' };
    return connectionOf(await jobs.list(caller, jobFilter(filter), order, request), request);
  }

  @Mutation(() => LaunchEtlJobPayload, { description: 'Checks a pipeline and starts it as a job.' })
  launchEtlJob(
    @Ctx() { jobs, caller }: GraphqlContext,
    @Arg('input', () => LaunchEtlJobInput, { description: 'The job.' }) input: LaunchEtlJobInput,
  ): Promise<LaunchEtlJobPayload> {
    return answering<Omit<LaunchEtlJobPayload, 'userErrors'>>({ job: null, replayed: false }, () =>
      jobs.launchEtl(caller, {
        name: input.name,
        owner: input.owner ?? DEFAULT_OWNER,
        idempotencyKey: input.idempotencyKey ?? null,
        priority: input.options?.priority ?? 0,
        pipeline: plainPipeline(input),
      }),
    );
  }

  @FieldResolver(() => [JobAttemptType], { description: 'The last attempts of the job, oldest first.' })
  async attempts(
    @Root() job: Job,
    @Ctx() { jobs, caller }: GraphqlContext,
    @Arg('last', () => Int, { defaultValue: 10, description: 'How many, 1 to 100.' }) last: number,
  ) {
    if (last < 1 || last > 100) throw new SluiceError('INVALID_INPUT', '`last` must be 1 to 100.', { path: ['last'] });
    return jobs.attempts(caller, job.id, last);
  }

  @FieldResolver(() => [ExpectationOutcomeType], {
    description: 'The data quality report, in the order of the spec; empty until the source has been read.',
  })
  async expectations(@Root() job: Job, @Ctx() { jobs, caller }: GraphqlContext) {
    return jobs.report(caller, job.id);
  }

  @FieldResolver(() => QuarantineConnectionType, { description: 'The rows that were set aside.' })
  async quarantine(
    @Root() job: Job,
    @Ctx() { quarantine, caller }: GraphqlContext,
    @Arg('first', () => Int, { defaultValue: 20, description: 'How many, 1 to 100.' }) first: number,
    @Arg('after', () => String, { nullable: true, description: 'Cursor of the item before the page.' })
    after: string | null,
  ) {
    const request = pageRequest(first, after);
    return connectionOf(await quarantine.list(caller, { jobId: job.id }, request), request);
  }
}
