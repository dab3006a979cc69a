import { beforeEach, describe, expect, test } from 'vitest';
import type { EscalationService } from '../../escalation/service.js';
import { SluiceError, UserErrors } from '../../src/core/errors.js';
import { testGateway } from '../support/gateway.js';
import { aLogEntry, anEscalation, aPolicy, stubEscalations } from '../support/stub-escalations.js';

/** What the service was asked, method by method. */
const calls: { method: string; args: readonly unknown[] }[] = [];
/** Replaces methods for one test. */
let methods: Partial<EscalationService> = {};

const fallback = stubEscalations();
/** Writes down every call and hands it to what the test says. */
const service = new Proxy(fallback, {
  get(_target, name: keyof EscalationService) {
    const method = methods[name] ?? fallback[name];
    return (...args: readonly unknown[]) => {
      if (name !== 'agents') calls.push({ method: name, args });
      return Reflect.apply(method, undefined, args);
    };
  },
});

const gateway = await testGateway({ escalations: service });

const ID = anEscalation().id;
const SEEN = { id: ID, expectedVersion: 1, agent: 'chief-2' };
const CHIEF = { tenant: 'default', agent: 'chief-2' };

beforeEach(() => {
  calls.length = 0;
  methods = {};
});

/** Sends a mutation that takes one input of the type of its name. */
async function write(mutation: string, input: object, fields = 'escalation { id version status }') {
  const type = `${mutation[0]?.toUpperCase()}${mutation.slice(1)}Input`;
  const query = `mutation ($input: ${type}!) {
    answer: ${mutation}(input: $input) { ${fields} userErrors { code message path } } }`;
  const { data, errors } = await gateway.ask(query, { input });
  expect(errors).toBeUndefined();
  return data?.answer;
}

describe('writes', () => {
  const until = '2026-11-24T10:00:00.000Z';
  test.each([
    ['acknowledgeEscalation', {}, 'acknowledge', []],
    ['claimEscalation', {}, 'claim', [null]],
    ['claimEscalation', { for: 'PT1H' }, 'claim', [3_600_000]],
    ['renewClaim', { for: 'PT5M' }, 'renewClaim', [300_000]],
    ['releaseClaim', {}, 'releaseClaim', []],
    ['declineEscalation', { comment: 'not mine' }, 'decline', ['not mine']],
    ['submitVerdict', { kind: 'RETRY' }, 'submitVerdict', [{ kind: 'RETRY', patch: null, comment: null }]],
    [
      'submitVerdict',
      { kind: 'PATCH_SPEC', patch: { sink: { postgres: { table: null } } }, comment: 'drift' },
      'submitVerdict',
      [{ kind: 'PATCH_SPEC', patch: { sink: { postgres: { table: null } } }, comment: 'drift' }],
    ],
    ['escalate', {}, 'escalate', [null]],
    ['snoozeEscalation', { until }, 'snooze', [new Date(until)]],
    ['reassignEscalation', { to: 'layer-20' }, 'reassign', ['layer-20']],
    ['resolveEscalation', { comment: 'mended' }, 'resolve', ['mended']],
    ['reopenEscalation', {}, 'reopen', []],
  ])('%s %o', async (mutation, more, method, args) => {
    expect(await write(mutation, { ...SEEN, ...more })).toEqual({
      escalation: { id: ID, version: 2, status: 'ASKING' },
      userErrors: [],
    });
    expect(calls).toEqual([{ method, args: [CHIEF, { id: ID, expectedVersion: 1 }, ...args] }]);
  });

  test('a comment names no version', async () => {
    await write('commentEscalation', { id: ID, agent: 'chief-2', text: 'looking' });
    expect(calls).toEqual([{ method: 'comment', args: [CHIEF, ID, 'looking'] }]);
  });

  test('one is opened by hand, with the owner of data processing unless another is named', async () => {
    const input = { agent: 'chief-2', failureClass: 'PIPELINE_DECISION', pipeline: 'orders', message: 'Look.' };
    await write('openEscalation', input);
    const { agent: _actor, ...opened } = { ...input, target: null, owner: 'layer-12', jobId: null };
    expect(calls).toEqual([{ method: 'open', args: [CHIEF, opened] }]);
  });

  test('dead notifications start over', async () => {
    methods = { redeliver: async () => 3 };
    const answer = await write('redeliverNotifications', { id: ID, agent: 'chief-2' }, 'redelivered');
    expect(answer).toEqual({ redelivered: 3, userErrors: [] });
    expect(calls).toEqual([{ method: 'redeliver', args: [CHIEF, ID] }]);
  });

  test('a stale version is CONFLICT with what is there now', async () => {
    const current = anEscalation({ version: 7 }, { status: 'CLAIMED', holder: 'chief-2' });
    methods = { acknowledge: async () => ({ kind: 'CONFLICT', current }) };
    const fields = 'escalation { id } conflict { current { version status holder { name } } }';
    expect(await write('acknowledgeEscalation', SEEN, fields)).toEqual({
      escalation: null,
      conflict: { current: { version: 7, status: 'CLAIMED', holder: { name: 'Core Division' } } },
      userErrors: [
        { code: 'CONFLICT', message: expect.stringContaining('version 7, not 1'), path: ['expectedVersion'] },
      ],
    });
  });

  test('what the service refuses is a user error', async () => {
    methods = {
      submitVerdict: async () => {
        throw new SluiceError('VERDICT_NOT_ALLOWED', 'RETRY is not allowed here: ABORT.', { path: ['kind'] });
      },
    };
    expect(await write('submitVerdict', { ...SEEN, kind: 'RETRY' })).toMatchObject({
      escalation: null,
      userErrors: [{ code: 'VERDICT_NOT_ALLOWED', path: ['kind'] }],
    });
  });

  test.each([
    ['acknowledgeEscalation', { ...SEEN, agent: 'layer-99' }, 'UNKNOWN_AGENT', ['agent']],
    ['acknowledgeEscalation', { ...SEEN, id: 'nothing' }, 'ESCALATION_NOT_FOUND', ['id']],
    ['commentEscalation', { id: 'nothing', agent: 'chief-2', text: 'x' }, 'ESCALATION_NOT_FOUND', ['id']],
    ['declineEscalation', { ...SEEN, comment: 'a\0b' }, 'INVALID_INPUT', ['comment']],
    ['submitVerdict', { ...SEEN, kind: 'PATCH_SPEC', patch: [1] }, 'INVALID_INPUT', ['patch']],
    ['submitVerdict', { ...SEEN, kind: 'PATCH_SPEC', patch: 'text' }, 'INVALID_INPUT', ['patch']],
    ['reassignEscalation', { ...SEEN, to: 'nobody' }, 'UNKNOWN_AGENT', ['to']],
  ])('%s refuses %o as %s', async (mutation, input, code, path) => {
    expect(await write(mutation, input)).toMatchObject({ escalation: null, userErrors: [{ code, path }] });
    expect(calls).toEqual([]);
  });
});

describe('policies and contacts', () => {
  const policy = {
    id: 'pipeline-decision',
    failureClass: 'PIPELINE_DECISION',
    steps: [{ ask: [{ role: 'CHIEF' }, { agent: 'layer-20' }], wait: 'PT1H' }],
  };

  test('a policy reaches the service in milliseconds, with every default', async () => {
    const answer = await write(
      'saveEscalationPolicy',
      { agent: 'chief-2', expectedVersion: 0, policy },
      'policy { id }',
    );
    expect(answer).toEqual({ policy: { id: 'pipeline-decision' }, userErrors: [] });
    const step = {
      ask: [{ role: 'CHIEF' }, { agent: 'layer-20' }],
      tell: [],
      waitMs: 3_600_000,
      channels: ['WEBHOOK', 'EMAIL', 'FEED'],
      onEmpty: 'SKIP',
      quorum: 1,
      allowedVerdicts: expect.arrayContaining(['RETRY', 'ABORT']),
    };
    const draft = {
      ...{ id: 'pipeline-decision', failureClass: 'PIPELINE_DECISION', pipeline: null, steps: [step] },
      ...{ repeat: 0, ackTimeoutMs: 1_800_000, groupWindowMs: 3_600_000 },
      ...{ maintenance: [], autoResolve: true, endAction: 'HOLD', catchUp: 'NEXT_STEP' },
    };
    expect(calls).toEqual([{ method: 'savePolicy', args: [CHIEF, draft, 0] }]);
  });

  test('mistakes are told where the caller has made them', async () => {
    methods = {
      savePolicy: async () => {
        throw new UserErrors([
          new SluiceError('POLICY_INVALID', 'Too long.', { path: ['steps', 0, 'waitMs'] }),
          new SluiceError('UNKNOWN_AGENT', 'Nobody.', { path: ['steps', 0, 'ask', 1, 'agent'] }),
        ]);
      },
    };
    const input = { agent: 'chief-2', expectedVersion: 0, policy };
    expect(await write('saveEscalationPolicy', input, 'policy { id }')).toMatchObject({
      policy: null,
      userErrors: [
        { code: 'POLICY_INVALID', path: ['policy', 'steps', '0', 'wait'] },
        { code: 'UNKNOWN_AGENT', path: ['policy', 'steps', '0', 'ask', '1', 'agent'] },
      ],
    });
  });

  test.each([[{}], [{ role: 'CEO', agent: 'agent-0' }]])('a target %o is unclear', async (target) => {
    const unclear = { ...policy, steps: [{ ask: [target], wait: 'PT1H' }] };
    const input = { agent: 'chief-2', expectedVersion: 0, policy: unclear };
    expect(await write('saveEscalationPolicy', input, 'policy { id }')).toMatchObject({
      userErrors: [{ code: 'EXACTLY_ONE_MEMBER', path: ['policy', 'steps', '0', 'ask', '0'] }],
    });
  });

  test('a stale policy is CONFLICT', async () => {
    methods = { savePolicy: async () => ({ kind: 'CONFLICT', current: aPolicy({ version: 9 }) }) };
    const fields = 'policy { id } conflict { current { version } }';
    const answer = await write('saveEscalationPolicy', { agent: 'chief-2', expectedVersion: 1, policy }, fields);
    expect(answer).toMatchObject({
      policy: null,
      conflict: { current: { version: 9 } },
      userErrors: [{ code: 'CONFLICT' }],
    });
  });

  test('policies are read with durations', async () => {
    const { data } = await gateway.ask(`{ escalationPolicies {
      id version ackTimeout groupWindow steps { ask { role agent { id } } wait onEmpty quorum } } }`);
    expect(data?.escalationPolicies).toEqual([
      {
        ...{ id: 'pipeline-decision', version: 3, ackTimeout: 'PT30M', groupWindow: 'PT1H' },
        steps: [
          { ask: [{ role: 'CHIEF', agent: null }], wait: 'PT1H', onEmpty: 'SKIP', quorum: 1 },
          { ask: [{ role: null, agent: { id: 'agent-0' } }], wait: 'PT2H', onEmpty: 'SKIP', quorum: 1 },
        ],
      },
    ]);
  });

  test('a contact is saved, and its secret is never answered', async () => {
    const contact = { agent: 'chief-2', channel: 'WEBHOOK', address: 'https://chief.example.org/hook' };
    const input = { ...contact, secret: 'whsec_c2VjcmV0' };
    const answer = await write('saveAgentContact', input, 'contact { channel address isEnabled disabledReason }');
    expect(calls).toEqual([
      { method: 'saveContact', args: [CHIEF, { ...contact, isEnabled: true }, 'whsec_c2VjcmV0'] },
    ]);
    expect(answer).toMatchObject({ contact: { address: contact.address, isEnabled: true }, userErrors: [] });
    expect(JSON.stringify(answer)).not.toContain('whsec');
  });
});

describe('reads', () => {
  test('an escalation with everything about it', async () => {
    methods = {
      evidence: async () => ({ hash: 'abc', bundle: { stage: 'LOADING', rows: 12n } }),
      log: async () => [aLogEntry()],
      get: async () => anEscalation({}, { failures: { '0:RETRY': 2, '0:ABORT': 1 } }),
    };
    const { data, errors } = await gateway.ask(
      `query ($id: ID!) { escalation(id: $id) {
        title failureClass rule confidence owner { id kind peers { id } reportsTo { id } } job { id escalations { id } }
        pipeline target status step round asked { id name } holder { id } dueAt allowedVerdicts verdict { kind }
        occurrences version openedAt resolvedAt evidence policy { id version } log { seq kind agents { id } data } } }`,
      { id: ID },
    );
    expect(errors).toBeUndefined();
    expect(data?.escalation).toMatchObject({
      owner: { id: 'layer-12', kind: 'LAYER', peers: [{ id: 'layer-20' }], reportsTo: [{ id: 'chief-2' }] },
      job: { id: anEscalation().jobId, escalations: [] },
      asked: [{ id: 'chief-2', name: 'Core Division' }],
      holder: null,
      dueAt: '2026-11-23T10:30:00.000Z',
      allowedVerdicts: ['PATCH_SPEC', 'ABORT'],
      evidence: { stage: 'LOADING', rows: 12 },
      policy: { id: 'pipeline-decision', version: 3 },
      log: [{ seq: 1, kind: 'OPEN', agents: [{ id: 'chief-2' }] }],
    });
  });

  test('nothing may be decided about what is decided', async () => {
    const verdict = { id: 'v', kind: 'RETRY', agent: 'chief-2', patch: null, comment: 'go' } as const;
    methods = { get: async () => anEscalation({}, { status: 'DECIDED', verdict }) };
    const query = `{ escalation(id: "${ID}") { allowedVerdicts verdict { kind agent { id } comment } } }`;
    expect((await gateway.ask(query)).data?.escalation).toEqual({
      allowedVerdicts: [],
      verdict: { kind: 'RETRY', agent: { id: 'chief-2' }, comment: 'go' },
    });
  });

  test('what is no id is no escalation', async () => {
    expect((await gateway.ask('{ escalation(id: "x") { id } }')).data).toEqual({ escalation: null });
  });

  test('a page of those that match', async () => {
    const item = { cursor: 'c1', node: anEscalation() };
    methods = { list: async () => ({ items: [item], hasNextPage: true, totalCount: 5 }) };
    const filter = { statuses: ['ASKING', 'HELD'], agent: 'chief-2', failureClasses: null };
    const { data } = await gateway.ask(
      `query ($filter: EscalationFilter) { escalations(filter: $filter, first: 1, after: "c0") {
        edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage endCursor } totalCount } }`,
      { filter },
    );
    expect(data?.escalations).toEqual({
      edges: [{ cursor: 'c1', node: { id: ID } }],
      pageInfo: { hasNextPage: true, hasPreviousPage: true, endCursor: 'c1' },
      totalCount: 5,
    });
    const which = { statuses: ['ASKING', 'HELD'], agent: 'chief-2' };
    expect(calls).toEqual([{ method: 'list', args: ['default', which, { first: 1, after: 'c0' }] }]);
  });

  test('contacts of all agents are read once', async () => {
    const address = 'https://chief.example.org';
    const contact = { agent: 'chief-2', channel: 'WEBHOOK', address, isEnabled: true } as const;
    methods = { contacts: async () => [{ ...contact, disabledReason: null, updatedAt: new Date(0) }] };
    const { data } = await gateway.ask('{ agents { id name kind number contacts { channel address } } }');
    expect(data?.agents).toHaveLength(5);
    expect(data?.agents).toContainEqual({
      ...{ id: 'chief-2', name: 'Core Division', kind: 'CHIEF', number: 2 },
      contacts: [{ channel: 'WEBHOOK', address }],
    });
    expect(data?.agents).toContainEqual(expect.objectContaining({ id: 'life-ceo-1', kind: 'LIFE_CEO', number: null }));
    expect(calls).toEqual([{ method: 'contacts', args: ['default'] }]);
  });

  test.each([
    [null, { ok: true, brokenSeq: null, problem: null, lastSeq: 12 }],
    [
      { seq: 5, problem: 'changed' },
      { ok: false, brokenSeq: 5, problem: 'changed', lastSeq: 12 },
    ],
  ])('the log with %o is told', async (broken, status) => {
    methods = { verifyLog: async () => broken, lastLogSeq: async () => 12 };
    const { data } = await gateway.ask('{ escalationLogStatus { ok brokenSeq problem lastSeq } }');
    expect(data?.escalationLogStatus).toEqual(status);
  });
});

describe('simulation', () => {
  const query = `query ($input: SimulateEscalationInput!) { simulateEscalation(input: $input) {
    simulation { events { at kind status agents { id } description } ceoAfter endAfter } userErrors { code path } } }`;

  test('a stored policy is climbed', async () => {
    const event = { atMs: 3_600_000, kind: 'DUE', status: 'ASKING', step: 1, round: 0, agents: ['agent-0'] } as const;
    const events = [{ ...event, description: 'The CEO is asked.' }];
    methods = { simulate: async () => ({ events, ceoAfterMs: 3_600_000, endAfterMs: 10_800_000 }) };
    const behaviour = [{ agent: 'chief-2', does: 'DECIDE', after: 'PT5M', verdict: 'ABORT' }];
    const { data } = await gateway.ask(query, { input: { policyId: 'pipeline-decision', behaviour } });
    expect(data?.simulateEscalation).toEqual({
      simulation: {
        events: [
          { at: 'PT1H', kind: 'DUE', status: 'ASKING', agents: [{ id: 'agent-0' }], description: 'The CEO is asked.' },
        ],
        ceoAfter: 'PT1H',
        endAfter: 'PT3H',
      },
      userErrors: [],
    });
    const asked = {
      owner: 'layer-12',
      behaviour: [{ agent: 'chief-2', does: 'DECIDE', afterMs: 300_000, verdict: 'ABORT' }],
      policy: { id: 'pipeline-decision' },
    };
    expect(calls).toEqual([{ method: 'simulate', args: ['default', asked] }]);
  });

  test.each([
    [{}, 'EXACTLY_ONE_MEMBER', []],
    [{ policyId: 'p' }, 'INVALID_INPUT', ['policyId']],
    [
      { policyId: 'p', behaviour: [{ agent: 'nobody', does: 'CLAIM', after: 'PT1S' }] },
      'UNKNOWN_AGENT',
      ['behaviour', '0', 'agent'],
    ],
    [{ draft: { id: 'd', failureClass: 'DATA_CORRUPTION', steps: [] } }, 'POLICY_INVALID', ['draft', 'steps']],
  ])('%o is refused', async (input, code, path) => {
    methods = {
      simulate: async (_tenant, { policy }) => {
        if ('id' in policy) throw new SluiceError('INVALID_INPUT', 'No such policy.', { path: ['policy', 'id'] });
        throw new UserErrors([new SluiceError('POLICY_INVALID', 'No steps.', { path: ['steps'] })]);
      },
    };
    const { data } = await gateway.ask(query, { input });
    expect(data?.simulateEscalation).toEqual({ simulation: null, userErrors: [{ code, path }] });
  });
});
