import { describe, expect, it } from 'vitest';
import { checkPolicy } from '../../../escalation/check-policy.js';
import { loadOrgChart, parseOrgChart } from '../../../escalation/org-chart.js';
import type { Policy, PolicyStep } from '../../../escalation/policy.js';
import { UserErrors } from '../../../src/core/errors.js';
import { aPolicy, aStep, HOUR, MINUTE, minute } from './a-policy.js';

const chart = await loadOrgChart();
/** In it nobody has a peer. */
const peerless = parseOrgChart({
  agents: chart.agents.map(({ peers: _peers, collaborators: _collaborators, ...agent }) => agent),
});

function refusals(policy: Partial<Policy>, roster = chart): readonly string[] {
  try {
    checkPolicy(aPolicy(policy), roster);
    return [];
  } catch (thrown) {
    if (!(thrown instanceof UserErrors)) throw thrown;
    return thrown.errors.map(({ code, path }) => `${code} ${path?.join('.')}`);
  }
}

const step = (overrides: Partial<PolicyStep>) => ({ steps: [aStep(overrides)] });
const peer = aStep({ ask: [{ role: 'PEER' }] });

describe('a policy is refused', () => {
  it.each<[string, Partial<Policy>, string]>([
    ['without steps', { steps: [] }, 'steps'],
    [
      'with more steps than anybody can follow',
      { steps: Array.from({ length: 21 }, (_, i) => aStep({ waitMs: HOUR, ask: [{ agent: `layer-${i + 1}` }] })) },
      'steps',
    ],
    ['with a negative wait', step({ waitMs: -1 }), 'steps.0.waitMs'],
    ['with no wait', step({ waitMs: 0 }), 'steps.0.waitMs'],
    ['with a wait under a second', step({ waitMs: 999 }), 'steps.0.waitMs'],
    ['with a wait over 30 days', step({ waitMs: 30 * 24 * HOUR + 1 }), 'steps.0.waitMs'],
    ['with a wait that is no number', step({ waitMs: Number.NaN }), 'steps.0.waitMs'],
    ['with a wait without end', step({ waitMs: Number.POSITIVE_INFINITY }), 'steps.0.waitMs'],
    ['with an absurd time to act after acknowledging', { ackTimeoutMs: 0 }, 'ackTimeoutMs'],
    ['with an absurd grouping window', { groupWindowMs: -MINUTE }, 'groupWindowMs'],
    ['with negative repeats', { repeat: -1 }, 'repeat'],
    ['with over 100 repeats', { repeat: 101 }, 'repeat'],
    ['with half a repeat', { repeat: 0.5 }, 'repeat'],
    ['with a step that asks nobody', step({ ask: [] }), 'steps.0.ask'],
    ['without channels', step({ channels: [] }), 'steps.0.channels'],
    ['with a channel twice', step({ channels: ['EMAIL', 'FEED', 'EMAIL'] }), 'steps.0.channels.2'],
    ['without verdicts', step({ allowedVerdicts: [] }), 'steps.0.allowedVerdicts'],
    ['with a verdict twice', step({ allowedVerdicts: ['RETRY', 'RETRY'] }), 'steps.0.allowedVerdicts.1'],
    ['asking the same twice', step({ ask: [{ role: 'CEO' }, { role: 'CEO' }] }), 'steps.0.ask.1'],
    ['telling the same twice', step({ tell: [{ agent: 'layer-1' }, { agent: 'layer-1' }] }), 'steps.0.tell.1'],
    ['telling who is asked', step({ tell: [{ role: 'CEO' }, { role: 'CHIEF' }] }), 'steps.0.tell.1'],
    ['with a quorum of nobody', step({ quorum: 0 }), 'steps.0.quorum'],
    ['with half a quorum', step({ quorum: 1.5 }), 'steps.0.quorum'],
    ['with a quorum over those asked', step({ quorum: 2 }), 'steps.0.quorum'],
    [
      'with a quorum that two roles in one hand never reach',
      step({ quorum: 3, ask: [{ role: 'DOMAIN' }, { role: 'CHIEF' }] }),
      'steps.0.quorum',
    ],
    [
      'with a window that ends before it starts',
      { maintenance: [{ from: minute(2), to: minute(1) }] },
      'maintenance.0.to',
    ],
    ['with an empty window', { maintenance: [{ from: minute(1), to: minute(1) }] }, 'maintenance.0.to'],
    [
      'with a window of more than a year',
      { maintenance: [{ from: minute(0), to: minute(367 * 24 * 60) }] },
      'maintenance.0.to',
    ],
    [
      'with more windows than anybody can follow',
      { maintenance: Array.from({ length: 101 }, () => ({ from: minute(1), to: minute(2) })) },
      'maintenance',
    ],
    ['asking the same in two steps running', { steps: [aStep(), aStep({ waitMs: MINUTE })] }, 'steps.1.ask'],
    [
      'asking the same in another order',
      {
        steps: [
          aStep({ ask: [{ role: 'CEO' }, { agent: 'layer-1' }] }),
          aStep({ ask: [{ agent: 'layer-1' }, { role: 'CEO' }] }),
        ],
      },
      'steps.1.ask',
    ],
  ])('%s', (_what, policy, path) => {
    expect(refusals(policy)).toEqual([`POLICY_INVALID ${path}`]);
  });

  it.each<[string, Partial<Policy>, string]>([
    ['whom a step asks', step({ ask: [{ role: 'CHIEF' }, { agent: 'layer-999' }] }), 'steps.0.ask.1.agent'],
    ['whom a step tells', step({ tell: [{ agent: '__proto__' }] }), 'steps.0.tell.0.agent'],
  ])('when nobody knows %s', (_what, policy, path) => {
    expect(refusals(policy)).toEqual([`UNKNOWN_AGENT ${path}`]);
  });

  it('when steps stand behind one that holds for ever, and when it would be climbed again', () => {
    const steps = [{ ...peer, onEmpty: 'HOLD' as const }, aStep(), aStep({ ask: [{ role: 'CEO' }] })];
    expect(refusals({ steps, repeat: 1 }, peerless)).toEqual([
      'POLICY_INVALID steps.1',
      'POLICY_INVALID steps.2',
      'POLICY_INVALID repeat',
    ]);
    // Some owner has a peer here, who can move it up.
    expect(refusals({ steps, repeat: 1 })).toEqual([]);
  });

  it('when a step would always be skipped', () => {
    expect(refusals({ steps: [peer, aStep()] }, peerless)).toEqual(['POLICY_INVALID steps.0.ask']);
    expect(refusals({ steps: [{ ...peer, onEmpty: 'WAIT' }, aStep()] }, peerless)).toEqual([]);
  });

  it('with all its mistakes at once', () => {
    const steps = [aStep({ waitMs: 0, channels: [] }), aStep({ ask: [{ agent: 'x' }], quorum: 0 })];
    expect(refusals({ steps, repeat: 200 })).toEqual([
      'POLICY_INVALID repeat',
      'POLICY_INVALID steps.0.waitMs',
      'POLICY_INVALID steps.0.channels',
      'UNKNOWN_AGENT steps.1.ask.0.agent',
      'POLICY_INVALID steps.1.quorum',
    ]);
  });
});

describe('a policy is taken', () => {
  it.each<[string, Partial<Policy>]>([
    ['as it is', {}],
    [
      'with waits at both ends',
      { steps: [aStep({ waitMs: 1_000 }), aStep({ ask: [{ role: 'CEO' }], waitMs: 30 * 24 * HOUR })] },
    ],
    ['with 100 repeats', { repeat: 100 }],
    ['with four eyes', step({ quorum: 2, ask: [{ role: 'DOMAIN' }, { role: 'CHIEF' }] })],
    ['asking an agent by name who also has a role', { steps: [aStep(), aStep({ ask: [{ agent: 'chief-2' }] })] }],
    ['asking the first again after another', { steps: [aStep(), aStep({ ask: [{ role: 'CEO' }] }), aStep()] }],
    [
      'with windows that overlap',
      {
        maintenance: [
          { from: minute(1), to: minute(3) },
          { from: minute(2), to: minute(4) },
        ],
      },
    ],
  ])('%s', (_what, policy) => {
    expect(refusals(policy)).toEqual([]);
  });
});
