import { type GraphQLSchema, isEnumType, isInputObjectType, isInterfaceType, isObjectType } from 'graphql';
import { expect, test } from 'vitest';
import { buildSluiceSchema } from '../../../schema/build.js';

/** Names of all elements of our own that have no description. */
function undescribed(schema: GraphQLSchema): string[] {
  const missing: string[] = [];
  const look = (name: string, element: { readonly description?: string | null | undefined }) => {
    if (!element.description?.trim()) missing.push(name);
  };
  for (const type of Object.values(schema.getTypeMap())) {
    // Introspection's own types, and the three roots, which the specification describes.
    if (type.name.startsWith('__')) continue;
    if (!['Query', 'Mutation', 'Subscription'].includes(type.name)) look(type.name, type);
    if (isEnumType(type)) for (const value of type.getValues()) look(`${type.name}.${value.name}`, value);
    if (isInputObjectType(type))
      for (const field of Object.values(type.getFields())) look(`${type.name}.${field.name}`, field);
    if (isObjectType(type) || isInterfaceType(type))
      for (const field of Object.values(type.getFields())) {
        look(`${type.name}.${field.name}`, field);
        for (const arg of field.args) look(`${type.name}.${field.name}(${arg.name})`, arg);
      }
  }
  return missing;
}

test('every type, field, argument and enum value is described', () => {
  expect(undescribed(buildSluiceSchema())).toEqual([]);
});

test('the operations have the names of the design', () => {
  const schema = buildSluiceSchema();
  const names = (type: ReturnType<GraphQLSchema['getQueryType']>) => Object.keys(type?.getFields() ?? {}).sort();
  expect(names(schema.getQueryType())).toEqual([
    'agents',
    'connectors',
    'deadLetterGroups',
    'deadLetters',
    'escalation',
    'escalationLogStatus',
    'escalationPolicies',
    'escalations',
    'inferSchema',
    'job',
    'jobs',
    'previewEtl',
    'quarantine',
    'quarantineGroups',
    'queueStats',
    'simulateEscalation',
    'successMetrics',
    'viewer',
  ]);
  expect(names(schema.getMutationType())).toEqual([
    'acknowledgeEscalation',
    'cancelJob',
    'claimEscalation',
    'commentEscalation',
    'declineEscalation',
    'discardDeadLetters',
    'discardQuarantinedRows',
    'escalate',
    'fixQuarantinedRows',
    'launchEtlJob',
    'openEscalation',
    'pauseJob',
    'pauseQueue',
    'reassignEscalation',
    'redeliverNotifications',
    'redriveDeadLetters',
    'releaseClaim',
    'renewClaim',
    'reopenEscalation',
    'replayQuarantine',
    'resolveEscalation',
    'resumeJob',
    'resumeQueue',
    'retryJob',
    'saveAgentContact',
    'saveEscalationPolicy',
    'snoozeEscalation',
    'submitVerdict',
  ]);
  expect(names(schema.getSubscriptionType())).toEqual(['escalationEvents', 'jobEvents', 'jobFeed', 'queueFeed']);
});
