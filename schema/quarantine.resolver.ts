import { Arg, Ctx, ID, Int, Query, Resolver } from 'type-graphql';
import type { GraphqlContext } from './context.js';
import { connectionOf, pageRequest } from './page.types.js';
import { QuarantineConnectionType, QuarantineFilterInput } from './quarantine.types.js';

@Resolver()
export class QuarantineResolver {
  @Query(() => QuarantineConnectionType, {
    description: 'Rows that a job set aside, with their reasons. An unknown job is the error JOB_NOT_FOUND.',
  })
  async quarantine(
    @Ctx() { jobs, caller }: GraphqlContext,
    @Arg('jobId', () => ID, { description: 'The job.' }) jobId: string,
    @Arg('filter', () => QuarantineFilterInput, { nullable: true, description: 'Which rows. Default: all.' })
    filter: QuarantineFilterInput | null,
    @Arg('first', () => Int, { defaultValue: 20, description: 'How many, 1 to 100.' }) first: number,
    @Arg('after', () => String, { nullable: true, description: 'Cursor of the item before the page.' })
    after: string | null,
  ) {
    const request = pageRequest(first, after);
    const { code, column } = filter ?? {};
    const which = { jobId, ...(typeof code === 'string' && { code }), ...(typeof column === 'string' && { column }) };
    return connectionOf(await jobs.quarantine(caller, which, request), request);
  }
}
