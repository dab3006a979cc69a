import { Query, Resolver } from 'type-graphql';
import { type Connector, describeConnectors } from '../src/jobs/connectors.js';
import { ConnectorType } from './connector.types.js';

@Resolver()
export class ConnectorResolver {
  @Query(() => [ConnectorType], { description: 'Every source, step, expectation and sink, with its options.' })
  connectors(): readonly Connector[] {
    return describeConnectors();
  }
}
