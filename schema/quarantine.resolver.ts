import { Arg, Ctx, ID, Int, Query, Resolver } from 'type-graphql';
import type { GraphqlContext } from './context.js';
import { connectionOf, pageRequest } from './page.types.js';
import { QuarantineFilterInput, quarantineFilter } from './quarantine.inputs.js';
import { QuarantineConnectionType, QuarantineOverviewType } from './quarantine.types.js';

@Resolver()
export class QuarantineResolver {
  @Query(() => QuarantineConnectionType, {
    description: 'Rows that a job set aside, with their reasons. An unknown job is the error JOB_NOT_FOUND.',
  })
  async quarantine(
    @Ctx() { quarantine, caller }: GraphqlContext,
    @Arg('jobId', () => ID, { description: 'The job.' }) jobId: string,
    @Arg('filter', () => QuarantineFilterInput, { nullable: true, description: 'Which rows. Default: all.' })
    filter: QuarantineFilterInput | null,
    @Arg('first', () => Int, { defaultValue: 20, description: 'How many, 1 to 100.' }) first: number,
    @Arg('after', () => String, { nullable: true, description: 'Cursor of the item before the page.' })
    after: string | null,
  ) {
    const request = pageRequest(first, after);
    return connectionOf(await quarantine.list(caller, quarantineFilter(jobId, filter), request), request);
  }

  @Query(() => QuarantineOverviewType, {
    description:
      'The rows that a job set aside, by what is wrong with them. An unknown job is the error JOB_NOT_FOUND.',
  })
  async quarantineGroups(
    @Ctx() { quarantine, caller }: GraphqlContext,
    @Arg('jobId', () => ID, { description: 'The job.' }) jobId: string,
    @Arg('filter', () => QuarantineFilterInput, { nullable: true, description: 'Which rows. Default: all.' })
    filter: QuarantineFilterInput | null,
    @Arg('first', () => Int, { defaultValue: 20, description: 'How many groups, 1 to 100.' }) first: number,
  ) {
    const request = pageRequest(first, null);
    return quarantine.groups(caller, quarantineFilter(jobId, filter), request.first);
  }
}
