import { Arg, Ctx, Field, FieldResolver, Mutation, ObjectType, Query, Resolver, Root } from 'type-graphql';
import type { Agent } from '../escalation/org-chart.js';
import type { AgentContact } from '../escalation/ports.js';
import { refuseUnstorable } from '../src/jobs/refuse-unstorable.js';
import { SaveAgentContactInput } from './agent.inputs.js';
import { AGENT_KINDS, AgentContactType, AgentKindEnum, type AgentKindName, AgentType } from './agent.types.js';
import { agentsOf, refuseUnknownAgent } from './agent-roster.js';
import type { GraphqlContext } from './context.js';
import { answering, UserErrorType } from './user-error.types.js';

@ObjectType('SaveAgentContactPayload', { description: 'Answer of `saveAgentContact`.' })
class SaveAgentContactPayload {
  @Field(() => AgentContactType, { nullable: true, description: 'The contact; null when the input has mistakes.' })
  contact!: AgentContact | null;

  @Field(() => [UserErrorType], { description: 'Mistakes in the input; empty when it was saved.' })
  userErrors!: UserErrorType[];
}

/** One reading for all agents of an answer: their fields ask at the same time. Nothing is kept, so nothing is stale. */
const reading = new WeakMap<GraphqlContext, Promise<readonly AgentContact[]>>();

function contactsOf(context: GraphqlContext): Promise<readonly AgentContact[]> {
  const running = reading.get(context);
  if (running) return running;
  const contacts = context.escalations.contacts(context.caller.tenant).finally(() => reading.delete(context));
  reading.set(context, contacts);
  return contacts;
}

@Resolver(() => AgentType)
export class AgentResolver {
  @Query(() => [AgentType], { description: 'The org chart: everybody who can be asked.' })
  agents(@Ctx() { escalations }: GraphqlContext): readonly Agent[] {
    return escalations.agents();
  }

  @Mutation(() => SaveAgentContactPayload, { description: 'Adds or replaces the address of an agent on one channel.' })
  saveAgentContact(
    @Ctx() context: GraphqlContext,
    @Arg('input', () => SaveAgentContactInput, { description: 'The contact.' }) input: SaveAgentContactInput,
  ): Promise<SaveAgentContactPayload> {
    return answering<Omit<SaveAgentContactPayload, 'userErrors'>>({ contact: null }, async () => {
      const { agent, channel, address, isEnabled, secret } = input;
      refuseUnknownAgent(context, agent, ['agent']);
      refuseUnstorable({ address, secret });
      const caller = { tenant: context.caller.tenant, agent };
      const contact = { agent, channel, address, isEnabled };
      return { contact: await context.escalations.saveContact(caller, contact, secret ?? null) };
    });
  }

  @FieldResolver(() => AgentKindEnum, { description: 'What it is in the org chart.' })
  kind(@Root() { kind }: Agent): AgentKindName {
    return AGENT_KINDS[kind];
  }

  @FieldResolver(() => [AgentType], { description: 'Those above, the one who is asked first at the front.' })
  reportsTo(@Root() { reportsTo }: Agent, @Ctx() context: GraphqlContext): Agent[] {
    return agentsOf(context, reportsTo);
  }

  @FieldResolver(() => [AgentType], { description: 'Those beside it, who are asked as PEER.' })
  peers(@Root() { peers }: Agent, @Ctx() context: GraphqlContext): Agent[] {
    return agentsOf(context, peers ?? []);
  }

  @FieldResolver(() => [AgentContactType], { description: 'How it can be reached besides the subscription.' })
  async contacts(@Root() { id }: Agent, @Ctx() context: GraphqlContext): Promise<AgentContact[]> {
    return (await contactsOf(context)).filter(({ agent }) => agent === id);
  }
}
