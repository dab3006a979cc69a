import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePolicy } from '../../../escalation/parse-policy.js';
import { VERDICTS } from '../../../escalation/verdict.js';
import { UserErrors } from '../../../src/core/errors.js';
import { HOUR, MINUTE } from './a-policy.js';

const seed = Date.now() % 2 ** 31;
const least = {
  id: 'mine',
  failureClass: 'PIPELINE_DECISION',
  steps: [{ ask: [{ role: 'CHIEF' }], waitMs: HOUR, allowedVerdicts: ['RETRY'] }],
};
const [leastStep] = least.steps;
const withStep = (overrides: object) => ({ ...least, steps: [{ ...leastStep, ...overrides }] });

function refusals(draft: unknown): readonly string[] {
  try {
    parsePolicy(draft);
    return [];
  } catch (thrown) {
    if (!(thrown instanceof UserErrors)) throw thrown;
    return thrown.errors.map(({ code, path }) => `${code} ${path?.join('.')}`);
  }
}

describe('a draft of a policy', () => {
  it('is filled in where it says nothing', () => {
    expect(parsePolicy(least)).toEqual({
      ...least,
      pipeline: null,
      steps: [{ ...leastStep, tell: [], channels: ['WEBHOOK', 'EMAIL', 'FEED'], onEmpty: 'SKIP', quorum: 1 }],
      repeat: 0,
      ackTimeoutMs: 30 * MINUTE,
      groupWindowMs: HOUR,
      maintenance: [],
      autoResolve: true,
      endAction: 'HOLD',
      catchUp: 'NEXT_STEP',
    });
  });

  it('allows every verdict where it names none', () => {
    expect(parsePolicy(withStep({ allowedVerdicts: undefined })).steps[0]?.allowedVerdicts).toEqual([...VERDICTS]);
  });

  it('takes times as dates and as text', () => {
    const [from, to] = [new Date('2026-11-24T01:00:00Z'), new Date('2026-11-24T05:00:00Z')];
    expect(parsePolicy({ ...least, maintenance: [{ from, to: '2026-11-24T06:00:00+01:00' }] }).maintenance).toEqual([
      { from, to },
    ]);
  });

  it.each<[string, unknown, string]>([
    ['is no object', 'policy', ''],
    ['is nothing', undefined, ''],
    ['has no name', { ...least, id: undefined }, 'id'],
    ['is for a pipeline that no database can name', { ...least, pipeline: 'a\0b' }, 'pipeline'],
    ['has a name that is none', { ...least, id: 'My Policy' }, 'id'],
    ['is about no class', { ...least, failureClass: 'FIRE' }, 'failureClass'],
    ['has no list of steps', { ...least, steps: { 0: leastStep } }, 'steps'],
    ['asks for a role that is none', withStep({ ask: [{ role: 'BOSS' }] }), 'steps.0.ask.0'],
    ['asks for a role and an agent at once', withStep({ ask: [{ role: 'CEO', agent: 'x' }] }), 'steps.0.ask.0'],
    ['waits in words', withStep({ waitMs: 'PT1H' }), 'steps.0.waitMs'],
    ['waits without end', withStep({ waitMs: Number.POSITIVE_INFINITY }), 'steps.0.waitMs'],
    ['waits for no number', withStep({ waitMs: Number.NaN }), 'steps.0.waitMs'],
    ['knows another channel', withStep({ channels: ['PIGEON'] }), 'steps.0.channels.0'],
    ['knows another verdict', withStep({ allowedVerdicts: ['RETRY', 'SHRUG'] }), 'steps.0.allowedVerdicts.1'],
    ['knows another way to go on', withStep({ onEmpty: 'PANIC' }), 'steps.0.onEmpty'],
    ['has half a quorum', withStep({ quorum: 1.5 }), 'steps.0.quorum'],
    ['has half a repeat', { ...least, repeat: 0.5 }, 'repeat'],
    [
      'has a window without zone',
      { ...least, maintenance: [{ from: '2026-11-24T01:00', to: 0 }] },
      'maintenance.0.from',
    ],
    [
      'has a window without a date',
      { ...least, maintenance: [{ from: new Date(0), to: new Date(Number.NaN) }] },
      'maintenance.0.to',
    ],
    ['ends in another way', { ...least, endAction: 'EXPLODE' }, 'endAction'],
    ['catches up in another way', { ...least, catchUp: 'ALL_AT_ONCE' }, 'catchUp'],
    ['has a member that nobody knows', { ...least, wait: 5 }, ''],
    ['has one in a step', withStep({ wait: 5 }), 'steps.0'],
  ])('is refused when it %s', (_what, draft, path) => {
    expect(refusals(draft)).toContain(`POLICY_INVALID ${path}`);
  });

  it('is refused, and never anything worse, whatever it is', () => {
    fc.assert(
      fc.property(fc.anything(), (draft) => {
        expect(refusals(draft).length).toBeGreaterThan(0);
      }),
      { seed, verbose: 1 },
    );
  });
});
