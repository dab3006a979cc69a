import { beforeAll, expect, test } from 'vitest';
import { writeAs } from '../support/agent-api.js';
import { anEscalationDesk, type EscalationDesk } from '../support/escalation-desk.js';
import { type TestGateway, testGateway } from '../support/gateway.js';

let desk: EscalationDesk;
let gateway: TestGateway;
beforeAll(async () => {
  desk = await anEscalationDesk();
  gateway = await testGateway({ escalations: desk.service });
});

const write = (mutation: string, input: object) => writeAs(gateway, mutation, input);

test('an agent follows the log, acknowledges, collides, and the log of all that is whole', async () => {
  const events = gateway.socketClient().iterate<{ escalationEvents: { kind: string; seq: number } }>({
    query: 'subscription { escalationEvents(filter: { agent: "chief-2" }, afterSeq: 0) { kind seq agents { id } } }',
  });
  const opening = { agent: 'layer-12', failureClass: 'PIPELINE_DECISION', pipeline: 'by-hand', message: 'Look.' };
  const opened = await write('openEscalation', opening);
  expect(opened).toMatchObject({ escalation: { status: 'ASKING' }, userErrors: [] });
  expect((await events.next()).value?.data?.escalationEvents).toMatchObject({
    kind: 'OPEN',
    agents: [{ id: 'chief-2' }],
  });

  const { id = '', version: expectedVersion = 0 } = opened.escalation ?? {};
  const seen = { id, expectedVersion, agent: 'chief-2' };
  const acknowledged = await write('acknowledgeEscalation', seen);
  expect(acknowledged).toMatchObject({ escalation: { status: 'ACKNOWLEDGED' }, userErrors: [] });
  expect((await events.next()).value?.data?.escalationEvents.kind).toBe('ACKNOWLEDGE');
  await events.return?.();

  expect(await write('escalate', seen)).toMatchObject({
    escalation: null,
    conflict: { current: acknowledged.escalation },
    userErrors: [{ code: 'CONFLICT', path: ['expectedVersion'] }],
  });
  const { data, errors } = await gateway.ask(
    `query ($id: ID!) {
      escalation(id: $id) { allowedVerdicts evidence policy { id steps { wait } } log { kind } holder { id } }
      escalations(filter: { agent: "chief-2" }) { totalCount }
      escalationLogStatus { ok lastSeq } }`,
    { id },
  );
  expect(errors).toBeUndefined();
  expect(data).toMatchObject({
    escalation: {
      allowedVerdicts: expect.arrayContaining(['RETRY', 'PATCH_SPEC']),
      policy: { id: 'pipeline-decision', steps: [{ wait: 'PT1H' }, { wait: 'PT2H' }] },
      log: [{ kind: 'OPEN' }, { kind: 'ACKNOWLEDGE' }],
      holder: { id: 'chief-2' },
    },
    escalations: { totalCount: 1 },
    escalationLogStatus: { ok: true, lastSeq: 2 },
  });
});

test('a policy is saved, refused where it is wrong, and simulated', async () => {
  const save = (policy: object, expectedVersion = 0) =>
    gateway.ask(
      `mutation ($input: SaveEscalationPolicyInput!) { saveEscalationPolicy(input: $input) {
        policy { id version catchUp } conflict { current { version } } userErrors { code path } } }`,
      { input: { agent: 'chief-2', expectedVersion, policy } },
    );
  const policy = {
    ...{ id: 'mine', failureClass: 'PIPELINE_DECISION', pipeline: 'orders', catchUp: 'SKIP_TO_CURRENT' },
    steps: [
      { ask: [{ agent: 'layer-20' }], wait: 'PT5M' },
      { ask: [{ role: 'CEO' }], wait: 'PT10M' },
    ],
  };
  const events = gateway.socketClient().iterate<{ escalationEvents: Record<string, unknown> }>({
    query: `subscription { escalationEvents(filter: { agent: "chief-2" }, afterSeq: ${await desk.service.lastLogSeq('default')}) {
      kind actor status escalationId escalation { id } data } }`,
  });
  expect((await save(policy)).data?.saveEscalationPolicy).toMatchObject({
    policy: { id: 'mine', version: 1, catchUp: 'SKIP_TO_CURRENT' },
  });
  expect((await events.next()).value?.data?.escalationEvents).toEqual({
    ...{ kind: 'POLICY_SAVED', actor: 'chief-2', status: null, escalationId: null, escalation: null },
    data: { policyId: 'mine', policyVersion: 1, specHash: expect.stringMatching(/^[0-9a-f]{64}$/) },
  });
  await events.return?.();
  const read = await gateway.ask('{ escalationPolicies { id catchUp } }');
  expect(read.data?.escalationPolicies).toEqual(
    expect.arrayContaining([
      { id: 'mine', catchUp: 'SKIP_TO_CURRENT' },
      { id: 'pipeline-decision', catchUp: 'NEXT_STEP' },
    ]),
  );
  expect((await save(policy)).data?.saveEscalationPolicy).toMatchObject({
    conflict: { current: { version: 1 } },
    userErrors: [{ code: 'CONFLICT' }],
  });
  const wrong = { ...policy, id: 'wrong', steps: [{ ask: [{ agent: 'nobody' }], wait: 'PT0S' }] };
  expect((await save(wrong)).data?.saveEscalationPolicy).toMatchObject({
    policy: null,
    userErrors: expect.arrayContaining([
      { code: 'POLICY_INVALID', path: ['policy', 'steps', '0', 'wait'] },
      { code: 'UNKNOWN_AGENT', path: ['policy', 'steps', '0', 'ask', '0', 'agent'] },
    ]),
  });
  const simulate = (input: object) =>
    gateway.ask(
      `query ($input: SimulateEscalationInput!) { simulateEscalation(input: $input) {
        simulation { ceoAfter endAfter events { at agents { id } } } userErrors { code path } } }`,
      { input },
    );
  expect((await simulate({ policyId: 'mine' })).data?.simulateEscalation).toMatchObject({
    simulation: { ceoAfter: 'PT5M', endAfter: 'PT15M' },
    userErrors: [],
  });
  expect((await simulate({ draft: { ...policy, id: 'draft' } })).data?.simulateEscalation).toMatchObject({
    simulation: { ceoAfter: 'PT5M', endAfter: 'PT15M' },
    userErrors: [],
  });
  expect((await simulate({ policyId: 'none' })).data?.simulateEscalation).toEqual({
    simulation: null,
    userErrors: [{ code: 'INVALID_INPUT', path: ['policyId'] }],
  });
});
