import { Field, ID, InputType } from 'type-graphql';
import type { AgentContact } from '../escalation/ports.js';
import { ContactChannelEnum } from './agent.types.js';

@InputType('SaveAgentContactInput', { description: 'How an agent can be reached by one channel.' })
export class SaveAgentContactInput {
  @Field(() => ID, { description: 'The agent, who also is the one who acts. Unknown: UNKNOWN_AGENT.' })
  agent!: string;

  @Field(() => ContactChannelEnum, { description: 'The channel; an earlier contact of it is replaced.' })
  channel!: AgentContact['channel'];

  @Field(() => String, {
    description:
      'An `https:` URL, or an email address. One that cannot be used, or that the server may not call, is CONTACT_INVALID.',
  })
  address!: string;

  @Field(() => Boolean, { defaultValue: true, description: 'Whether it is used.' })
  isEnabled!: boolean;

  @Field(() => String, {
    nullable: true,
    description:
      'Secret that webhooks are signed with, `whsec_` and base64. The one before stays valid until the next change. Default: unchanged.',
  })
  secret?: string | null;
}
