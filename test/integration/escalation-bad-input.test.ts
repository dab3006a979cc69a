import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../src/core/ids.js';
import { type AgentAnswer, sendAs, writeAs } from '../support/agent-api.js';
import { anEscalationDesk, type EscalationDesk } from '../support/escalation-desk.js';
import { eventually } from '../support/eventually.js';
import { type TestGateway, testGateway } from '../support/gateway.js';

// What an agent is told over the API when it, or somebody before it, did something wrong; over the real service and
// database, and without an escalator unless a test starts one.

let desk: EscalationDesk;
let gateway: TestGateway;
beforeAll(async () => {
  desk = await anEscalationDesk();
  gateway = await testGateway({ escalations: desk.service });
});
afterEach(() => desk.rest());

const write = (mutation: string, input: object) => writeAs(gateway, mutation, input);

/** @returns its id; its version is 1, and chief-2 is asked */
async function opened(changes: object = {}): Promise<string> {
  const input = { agent: 'layer-12', failureClass: 'PIPELINE_DECISION', message: 'Look.', ...changes };
  const { escalation } = await write('openEscalation', { pipeline: `bad-input-${newId()}`, ...input });
  expect(escalation).toMatchObject({ version: 1, status: 'ASKING' });
  return escalation?.id ?? '';
}

const TABLES = ['escalation', 'escalation_log', 'escalation_log_head', 'notification', 'agent_contact'];

/** All that escalations have stored. */
const everything = () =>
  Promise.all(
    [...TABLES, 'escalation_policy'].map((table) =>
      desk.column(`select to_jsonb(t) from sluice.${table} as t order by to_jsonb(t)::text`),
    ),
  );

/** Refused with one mistake, and nothing was stored. */
async function expectRefused(ask: () => Promise<AgentAnswer>, code: string, path: string[], message: string) {
  const before = await everything();
  const answer = await ask();
  expect(answer).toMatchObject({ escalation: null, userErrors: [{ code, path, message }] });
  expect(answer.userErrors).toHaveLength(1);
  expect(await everything()).toEqual(before);
}

const NOBODY = 'There is no agent "layer-999" in the org chart.';

describe('an agent that nobody knows is refused', () => {
  it.each([
    ['acknowledgeEscalation', {}],
    ['claimEscalation', {}],
    ['renewClaim', {}],
    ['releaseClaim', {}],
    ['declineEscalation', {}],
    ['submitVerdict', { kind: 'RETRY' }],
    ['escalate', {}],
    ['snoozeEscalation', { until: '2099-01-01T00:00:00Z' }],
    ['reassignEscalation', { to: 'chief-2' }],
    ['resolveEscalation', {}],
    ['reopenEscalation', {}],
  ])('as the one who acts: %s', async (mutation, more) => {
    const id = await opened();
    const input = { id, expectedVersion: 1, agent: 'layer-999', ...more };
    await expectRefused(() => write(mutation, input), 'UNKNOWN_AGENT', ['agent'], NOBODY);
  });

  it('as the one who comments or opens', async () => {
    const id = await opened();
    const comment = { id, agent: 'layer-999', text: 'Hello.' };
    await expectRefused(() => write('commentEscalation', comment), 'UNKNOWN_AGENT', ['agent'], NOBODY);
    const opening = { agent: 'layer-999', failureClass: 'PIPELINE_DECISION', pipeline: 'x', message: 'Look.' };
    await expectRefused(() => write('openEscalation', opening), 'UNKNOWN_AGENT', ['agent'], NOBODY);
  });

  it('as the one to whom it is reassigned', async () => {
    const id = await opened();
    const input = { id, expectedVersion: 1, agent: 'chief-2', to: 'layer-999' };
    await expectRefused(() => write('reassignEscalation', input), 'UNKNOWN_AGENT', ['to'], NOBODY);
  });

  it('as the one whose address is saved', async () => {
    const before = await everything();
    const contact = { agent: 'layer-999', channel: 'EMAIL', address: 'a@example.org' };
    const { data } = await sendAs(gateway, 'saveAgentContact', contact, 'contact { address }');
    expect(data?.answer).toEqual({
      contact: null,
      userErrors: [{ code: 'UNKNOWN_AGENT', path: ['agent'], message: NOBODY }],
    });
    expect(await everything()).toEqual(before);
  });

  it('as the one for whom escalations are listed', async () => {
    const { errors } = await gateway.ask('{ escalations(filter: { agent: "layer-999" }) { totalCount } }');
    expect(errors).toMatchObject([
      { message: NOBODY, extensions: { code: 'UNKNOWN_AGENT', path: ['filter', 'agent'] } },
    ]);
  });
});

const CEO_STEP = { ask: [{ role: 'CEO' }], wait: 'PT1H' };
const savePolicy = (policy: object) => {
  const whole = { id: 'bad', failureClass: 'PIPELINE_DECISION', steps: [CEO_STEP], ...policy };
  return sendAs(
    gateway,
    'saveEscalationPolicy',
    { agent: 'chief-2', expectedVersion: 0, policy: whole },
    'policy { id }',
  );
};

describe('a policy that cannot work is refused', () => {
  const WAIT = 'From 1 second to 30 days.';
  it.each([
    ['without steps', { steps: [] }, 'POLICY_INVALID', 'steps', 'A policy needs a step: somebody has to be asked.'],
    ['without a wait', { steps: [{ ...CEO_STEP, wait: 'PT0S' }] }, 'POLICY_INVALID', 'steps.0.wait', WAIT],
    ['with a wait of 10 years', { steps: [{ ...CEO_STEP, wait: 'P3650D' }] }, 'POLICY_INVALID', 'steps.0.wait', WAIT],
    ['with a group window of no time', { groupWindow: 'PT0S' }, 'POLICY_INVALID', 'groupWindow', WAIT],
    ['asking nobody', { steps: [{ ...CEO_STEP, ask: [] }] }, 'POLICY_INVALID', 'steps.0.ask', 'The step asks nobody.'],
    [
      'asking an agent that nobody knows',
      { steps: [{ ...CEO_STEP, ask: [{ agent: 'layer-999' }] }] },
      'UNKNOWN_AGENT',
      'steps.0.ask.0.agent',
      NOBODY,
    ],
    [
      'telling an agent that nobody knows',
      { steps: [{ ...CEO_STEP, tell: [{ agent: 'layer-999' }] }] },
      'UNKNOWN_AGENT',
      'steps.0.tell.0.agent',
      NOBODY,
    ],
  ])('%s', async (_what, policy, code, path, message) => {
    const before = await everything();
    const { data, errors } = await savePolicy(policy);
    expect(errors).toBeUndefined();
    expect(data?.answer).toEqual({
      policy: null,
      userErrors: [{ code, message, path: ['policy', ...path.split('.')] }],
    });
    expect(await everything()).toEqual(before);
  });

  it.each(['-PT5M', 'PT-5M', 'soon', 'P1Y'])('with the wait %s, before anything is looked at', async (wait) => {
    const { data, errors } = await savePolicy({ steps: [{ ...CEO_STEP, wait }] });
    expect(data?.answer).toBeUndefined();
    expect(errors).toMatchObject([
      {
        message: expect.stringMatching(/policy\.steps\[0\]\.wait.*ISO 8601.*such as PT30M/),
        extensions: { code: 'BAD_USER_INPUT' },
      },
    ]);
  });
});

describe('a verdict is refused', () => {
  const verdict = (id: string, more: object, expectedVersion = 1) =>
    write('submitVerdict', { id, expectedVersion, agent: 'agent-0', ...more });

  it('that the step does not allow, with those that it does', async () => {
    const id = await opened({ failureClass: 'DATA_CORRUPTION' });
    const message = 'SKIP_ROWS cannot be chosen here: choose one of RETRY, PATCH_SPEC, PAUSE_TARGET, ABORT.';
    await expectRefused(() => verdict(id, { kind: 'SKIP_ROWS' }), 'VERDICT_NOT_ALLOWED', ['kind'], message);
  });

  it('that lacks its patch, or has one that it does not take', async () => {
    const id = await opened();
    const message = 'PATCH_SPEC takes a patch, and nothing else does.';
    await expectRefused(() => verdict(id, { kind: 'PATCH_SPEC' }), 'INVALID_INPUT', ['patch'], message);
    await expectRefused(() => verdict(id, { kind: 'RETRY', patch: {} }), 'INVALID_INPUT', ['patch'], message);
  });

  it('on an escalation that is decided or over', async () => {
    const id = await opened();
    expect(await verdict(id, { kind: 'RETRY' })).toMatchObject({ escalation: { status: 'DECIDED', version: 2 } });
    const acting = 'Its verdict is being carried out.';
    await expectRefused(() => verdict(id, { kind: 'ABORT' }, 2), 'ESCALATION_CLOSED', [], acting);

    const over = await opened();
    await write('resolveEscalation', { id: over, expectedVersion: 1, agent: 'chief-2' });
    const resolved = 'The escalation is resolved; reopen it first.';
    await expectRefused(() => verdict(over, { kind: 'ABORT' }, 2), 'ESCALATION_CLOSED', [], resolved);
  });

  it('on an escalation that does not exist', async () => {
    for (const id of [newId(), 'no-id']) {
      const message = 'There is no escalation with that id.';
      await expectRefused(() => verdict(id, { kind: 'ABORT' }), 'ESCALATION_NOT_FOUND', ['id'], message);
    }
  });
});

describe('of agents who act at once on what they have seen', () => {
  const AGENTS = ['chief-2', 'agent-0', 'layer-20', 'domain-3', 'chief-1', 'layer-1', 'layer-2', 'layer-3'];

  it.each([
    ['acknowledgeEscalation', {}, 'ACKNOWLEDGED'],
    ['claimEscalation', {}, 'CLAIMED'],
    ['submitVerdict', { kind: 'RETRY' }, 'DECIDED'],
    ['reassignEscalation', { to: 'agent-0' }, 'ASKING'],
    ['resolveEscalation', {}, 'RESOLVED'],
  ])('one wins, and the others get the conflict with what it is now: %s', async (mutation, more, status) => {
    const id = await opened();
    const logged = (await desk.service.log('default', id)).length;
    const answers = await Promise.all(
      AGENTS.map((agent) => write(mutation, { id, expectedVersion: 1, agent, ...more })),
    );
    const won = answers.filter(({ escalation }) => escalation !== null);
    expect(won).toMatchObject([{ escalation: { id, version: 2, status }, conflict: null, userErrors: [] }]);
    const lost = answers.filter(({ escalation }) => escalation === null);
    expect(lost).toHaveLength(AGENTS.length - 1);
    for (const answer of lost) {
      expect(answer).toEqual({
        escalation: null,
        conflict: { current: won[0]?.escalation },
        userErrors: [
          {
            code: 'CONFLICT',
            message: 'The escalation is at version 2, not 1; `conflict` holds what it is now.',
            path: ['expectedVersion'],
          },
        ],
      });
    }
    expect(await desk.service.log('default', id)).toHaveLength(logged + 1);
    expect(await desk.service.verifyLog('default')).toBeNull();
  });
});

describe('a claim that has run out', () => {
  const OVER = 'chief-2 holds no claim, or it has run out; claim the escalation again.';

  async function expired(): Promise<string> {
    const id = await opened();
    await write('claimEscalation', { id, expectedVersion: 1, agent: 'chief-2', for: 'PT1H' });
    await desk.moveDue(id, -1);
    return id;
  }

  it.each(['renewClaim', 'releaseClaim'])('cannot be held on to: %s', async (mutation) => {
    const id = await expired();
    const input = { id, expectedVersion: 2, agent: 'chief-2' };
    await expectRefused(() => write(mutation, input), 'NOT_ASKED', [], OVER);
  });

  it.each(['chief-2', 'layer-20'])('keeps nobody from deciding: %s', async (agent) => {
    const id = await expired();
    const answer = await write('submitVerdict', { id, expectedVersion: 2, agent, kind: 'RETRY' });
    expect(answer).toMatchObject({ escalation: { status: 'DECIDED' }, userErrors: [] });
  });

  it('keeps the others out as long as it lasts, and tells them for how long', async () => {
    const id = await opened();
    await write('claimEscalation', { id, expectedVersion: 1, agent: 'chief-2', for: 'PT1H' });
    const answer = await write('submitVerdict', { id, expectedVersion: 2, agent: 'layer-20', kind: 'RETRY' });
    expect(answer).toMatchObject({
      escalation: null,
      userErrors: [
        { code: 'NOT_ASKED', message: expect.stringMatching(/^chief-2 holds the claim until \d{4}-.*Z\.$/) },
      ],
    });
  });

  it.each([
    ['renewClaim', {}],
    ['releaseClaim', {}],
    ['submitVerdict', { kind: 'RETRY' }],
  ])('and was followed by the next step is a conflict: %s', async (mutation, more) => {
    const id = await expired();
    await desk.engine();
    await eventually(async () => (await desk.get(id)).version === 3);
    const input = { id, expectedVersion: 2, agent: 'chief-2', ...more };
    expect(await write(mutation, input)).toMatchObject({
      escalation: null,
      conflict: { current: { version: 3, status: 'ASKING', holder: null, asked: [{ id: 'agent-0' }] } },
      userErrors: [{ code: 'CONFLICT', path: ['expectedVersion'] }],
    });
  });
});
