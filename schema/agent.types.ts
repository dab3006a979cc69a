import { Field, ID, Int, ObjectType } from 'type-graphql';
import type { Agent } from '../escalation/org-chart.js';
import type { AgentContact } from '../escalation/ports.js';
import { describedEnum } from './described-enum.js';
import { DateTimeScalar } from './scalars/date-time.js';

/** Kinds of the roster as GraphQL writes them. */
export type AgentKindName = 'CEO' | 'CHIEF' | 'DOMAIN' | 'LAYER' | 'EXPERT' | 'OPERATIONAL' | 'LIFE_CEO';

export const AGENT_KINDS: Readonly<Record<Agent['kind'], AgentKindName>> = {
  ceo: 'CEO',
  chief: 'CHIEF',
  domain: 'DOMAIN',
  layer: 'LAYER',
  expert: 'EXPERT',
  operational: 'OPERATIONAL',
  'life-ceo': 'LIFE_CEO',
};

export const AgentKindEnum = describedEnum<AgentKindName>('AgentKind', 'What an agent is in the org chart.', {
  CEO: 'The one on top, who is asked last, or at once when it is critical.',
  CHIEF: 'Answers for a division.',
  DOMAIN: 'Coordinates the layers of a field.',
  LAYER: 'Answers for one layer of the platform.',
  EXPERT: 'Knows one subject.',
  OPERATIONAL: 'Runs one kind of daily work.',
  LIFE_CEO: 'Acts for one side of the life of users.',
});

export const ContactChannelEnum = describedEnum<AgentContact['channel']>(
  'ContactChannel',
  'Channels that need an address.',
  {
    WEBHOOK: 'A signed POST (Standard Webhooks) to a URL.',
    EMAIL: 'A mail.',
  },
);

@ObjectType('AgentContact', { description: 'A way to reach an agent. Its secrets are never answered.' })
export class AgentContactType {
  @Field(() => ContactChannelEnum, { description: 'How.' })
  channel!: AgentContact['channel'];

  @Field(() => String, { description: 'URL or email address.' })
  address!: string;

  @Field(() => Boolean, { description: 'Whether it is used. A webhook that answers 410 is switched off.' })
  isEnabled!: boolean;

  @Field(() => String, { nullable: true, description: 'Why it was switched off; null while it is used.' })
  disabledReason!: string | null;

  @Field(() => DateTimeScalar, { description: 'When it was saved or switched off.' })
  updatedAt!: Date;
}

/** `kind`, the relations and the contacts are in the resolver. */
@ObjectType('Agent', { description: 'Somebody of the org chart, who can be asked.' })
export class AgentType {
  @Field(() => ID, { description: 'Id in the org chart, such as `layer-12`.' })
  id!: string;

  @Field(() => String, { description: 'Name of the agent.' })
  name!: string;

  @Field(() => Int, { nullable: true, description: 'Number among those of its kind; null when it has none.' })
  number!: number | null;
}
