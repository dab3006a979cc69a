import 'reflect-metadata';
import type { GraphQLSchema } from 'graphql';
import { buildSchemaSync, type PubSub } from 'type-graphql';
import { AgentResolver } from './agent.resolver.js';
import { ConnectorResolver } from './connector.resolver.js';
import { DeadLetterResolver } from './dead-letter.resolver.js';
import { DryRunResolver } from './dry-run.resolver.js';
import { EscalationResolver } from './escalation.resolver.js';
import { EscalationEventResolver, EscalationLogEntryResolver } from './escalation-event.resolver.js';
import { EscalationFieldsResolver, JobEscalationsResolver, VerdictResolver } from './escalation-fields.resolver.js';
import { EscalationSimulationResolver, SimulatedEventResolver } from './escalation-simulation.resolver.js';
import { EscalationWriteResolver } from './escalation-write.resolver.js';
import { JobResolver } from './job.resolver.js';
import { JobEventResolver } from './job-event.resolver.js';
import { JobSteeringResolver } from './job-steering.resolver.js';
import { EscalationTargetResolver, PolicyResolver } from './policy.resolver.js';
import { QuarantineResolver } from './quarantine.resolver.js';
import { QuarantineChangeResolver } from './quarantine-change.resolver.js';
import { QueueResolver } from './queue.resolver.js';
import { SuccessMetricsResolver } from './success-metrics.resolver.js';
import { ViewerResolver } from './viewer.resolver.js';

// Topics of the library crash the process when a subscriber is slow: every subscription brings its own stream.
const noTopics = (): never => {
  throw new Error('Subscriptions bring their own streams, not topics.');
};
const pubSub: PubSub = { publish: noTopics, subscribe: noTopics };

/** The executable schema. Resolvers find what they need in their context, so that one schema serves everybody. */
export function buildSluiceSchema(): GraphQLSchema {
  return buildSchemaSync({
    resolvers: [
      JobResolver,
      JobSteeringResolver,
      QueueResolver,
      DeadLetterResolver,
      QuarantineResolver,
      QuarantineChangeResolver,
      DryRunResolver,
      ConnectorResolver,
      ViewerResolver,
      JobEventResolver,
      EscalationResolver,
      EscalationFieldsResolver,
      VerdictResolver,
      JobEscalationsResolver,
      EscalationWriteResolver,
      EscalationEventResolver,
      EscalationLogEntryResolver,
      EscalationSimulationResolver,
      SimulatedEventResolver,
      AgentResolver,
      PolicyResolver,
      EscalationTargetResolver,
      SuccessMetricsResolver,
    ],
    validate: false,
    pubSub,
  });
}
