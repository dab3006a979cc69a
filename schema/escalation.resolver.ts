import { Arg, Ctx, ID, Int, Query, Resolver } from 'type-graphql';
import type { Escalation } from '../escalation/escalation.js';
import { isId } from '../src/core/ids.js';
import { refuseUnknownAgent } from './agent-roster.js';
import type { GraphqlContext } from './context.js';
import { EscalationFilterInput, escalationFilter } from './escalation.inputs.js';
import { EscalationConnectionType, EscalationType } from './escalation.types.js';
import { EscalationLogStatusType } from './escalation-log.types.js';
import { connectionOf, pageRequest } from './page.types.js';

const NO_ESCALATIONS = { items: [], hasNextPage: false, totalCount: 0 };

@Resolver()
export class EscalationResolver {
  @Query(() => EscalationType, { nullable: true, description: 'An escalation by its id; null when there is none.' })
  async escalation(
    @Ctx() { escalations, caller }: GraphqlContext,
    @Arg('id', () => ID, { description: 'Id of the escalation.' }) id: string,
  ): Promise<Escalation | null> {
    return isId(id) ? escalations.get(caller.tenant, id) : null;
  }

  @Query(() => EscalationConnectionType, { description: 'Escalations, newest first.' })
  async escalations(
    @Ctx() context: GraphqlContext,
    @Arg('filter', () => EscalationFilterInput, { nullable: true, description: 'Which escalations. Default: all.' })
    filter: EscalationFilterInput | null,
    @Arg('first', () => Int, { defaultValue: 20, description: 'How many, 1 to 100.' }) first: number,
    @Arg('after', () => String, { nullable: true, description: 'Cursor of the item before the page.' })
    after: string | null,
  ) {
    const request = pageRequest(first, after);
    const { escalations, caller } = context;
    const which = escalationFilter(filter);
    // Whoever asks under a wrong id would wait for ever, and think that all is well.
    if (which.agent !== undefined) refuseUnknownAgent(context, which.agent, ['filter', 'agent']);
    const page =
      which.jobId === undefined || isId(which.jobId)
        ? await escalations.list(caller.tenant, which, request)
        : NO_ESCALATIONS;
    return connectionOf(page, request);
  }

  @Query(() => EscalationLogStatusType, {
    description: 'Follows the chain of the whole log; takes its time when the log is long.',
  })
  async escalationLogStatus(@Ctx() { escalations, caller }: GraphqlContext): Promise<EscalationLogStatusType> {
    // Read first: rows that come meanwhile are not among those that were looked at.
    const lastSeq = await escalations.lastLogSeq(caller.tenant);
    const broken = await escalations.verifyLog(caller.tenant);
    return { ok: broken === null, brokenSeq: broken?.seq ?? null, problem: broken?.problem ?? null, lastSeq };
  }
}
