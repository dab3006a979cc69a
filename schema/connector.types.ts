import { Field, ObjectType } from 'type-graphql';
import type { ComponentKindName } from '../src/jobs/connectors.js';
import { describedEnum } from './described-enum.js';
import { JsonScalar } from './scalars/json.js';

const ConnectorKind = describedEnum<ComponentKindName>('ConnectorKind', 'Where in a pipeline a connector stands.', {
  SOURCE: 'Where records come from.',
  STEP: 'What is done to them.',
  EXPECTATION: 'What must hold for them.',
  SINK: 'Where they go.',
});

@ObjectType('ConnectorOption', { description: 'An option of a connector.' })
class ConnectorOptionType {
  @Field(() => String, { description: 'Name of the option.' })
  name!: string;

  @Field(() => String, { nullable: true, description: 'What it does.' })
  description!: string | null;

  @Field(() => String, { description: 'Type of its value, for people, such as `string` or `array of string`.' })
  type!: string;

  @Field(() => Boolean, { description: 'Whether it must be set.' })
  required!: boolean;

  @Field(() => JsonScalar, { nullable: true, description: 'Its value when it is left out; null when there is none.' })
  default!: unknown;
}

@ObjectType('Connector', { description: 'Something that a pipeline can be made of.' })
export class ConnectorType {
  @Field(() => String, { description: 'The member of the input that selects it, such as `csv`.' })
  name!: string;

  @Field(() => ConnectorKind, { description: 'Where in a pipeline it stands.' })
  kind!: ComponentKindName;

  @Field(() => String, { description: 'What it does.' })
  summary!: string;

  @Field(() => [ConnectorOptionType], { description: 'Its options.' })
  options!: ConnectorOptionType[];

  @Field(() => JsonScalar, { description: 'Options of a working example.' })
  example!: unknown;
}
