import { describe, expect, it } from 'vitest';
import { VERDICTS } from '../../../escalation/verdict.js';
import { aContext, aStep, aVerdict, HOUR, MINUTE, minute } from './a-policy.js';
import { acknowledge, applied, asks, claim, decide, decline, due, failed, follow, refusal, toEnd } from './follow.js';

describe('who is on it', () => {
  const both = aContext({
    steps: [aStep({ ask: [{ role: 'DOMAIN' }, { role: 'CHIEF' }] }), aStep({ ask: [{ role: 'CEO' }] })],
  });

  it('acknowledged and silent: the next step', () => {
    const acknowledged = follow(both, [50, acknowledge('chief')]);
    expect(acknowledged).toMatchObject({
      state: { status: 'ACKNOWLEDGED', holder: 'chief', dueAt: minute(70) },
      effects: [],
    });
    expect(follow(both, [50, acknowledge('chief')], [60, acknowledge('domain')]).state).toMatchObject({
      holder: 'domain',
      dueAt: minute(80),
    });
    expect(follow(both, [50, acknowledge('chief')], [70, due]).state).toMatchObject({
      step: 1,
      holder: null,
      dueAt: minute(130),
    });
  });

  it('claimed: alone, until the claim runs out or is given back', () => {
    const claimed = [10, claim('domain')] as const;
    expect(follow(both, claimed).state).toMatchObject({ status: 'CLAIMED', holder: 'domain', dueAt: minute(25) });
    for (const event of [
      acknowledge('layer-9'),
      claim('layer-9'),
      decide('layer-9'),
      { kind: 'SNOOZE', agent: 'layer-9', until: minute(60) } as const,
      { kind: 'REASSIGN', agent: 'layer-9', to: 'layer-9' } as const,
      { kind: 'ESCALATE', agent: 'layer-9' } as const,
      { kind: 'RESOLVE', agent: 'layer-9' } as const,
      { kind: 'RELEASE', agent: 'layer-9' } as const,
      { kind: 'RENEW', agent: 'layer-9', forMs: MINUTE } as const,
    ]) {
      expect(() => follow(both, claimed, [11, event])).toThrow(refusal('NOT_ASKED'));
    }
    expect(follow(both, claimed, [20, { kind: 'RENEW', agent: 'domain', forMs: HOUR }]).state.dueAt).toEqual(
      minute(80),
    );
    expect(follow(both, claimed, [20, acknowledge('domain')]).state.status).toBe('CLAIMED');
    expect(follow(both, claimed, [25, due]).state).toMatchObject({ step: 1, asked: ['ceo'], dueAt: minute(85) });
    expect(follow(both, claimed, [20, { kind: 'RELEASE', agent: 'domain' }])).toMatchObject({
      state: { status: 'ASKING', holder: null, round: 1, dueAt: minute(80) },
      effects: [asks(['domain', 'chief'], 0, 1)],
    });
  });

  it('claimed by somebody below: chief and CEO may act all the same', () => {
    expect(follow(both, [10, claim('domain')], [11, claim('chief')]).state.holder).toBe('chief');
    expect(follow(both, [10, claim('chief')], [11, decide('ceo')]).state.status).toBe('DECIDED');
    expect(() => follow(both, [10, claim('chief')], [11, claim('domain')])).toThrow(refusal('NOT_ASKED'));
    expect(() => follow(both, [10, claim('ceo')], [11, claim('chief')])).toThrow(refusal('NOT_ASKED'));
    expect(() => follow(both, [10, claim('layer-8')], [11, claim('layer-9')])).toThrow(refusal('NOT_ASKED'));
  });

  it('claimed for too long ago: nobody is kept out, and nothing can be renewed', () => {
    expect(() => follow(both, [10, claim('domain')], [25, { kind: 'RENEW', agent: 'domain', forMs: MINUTE }])).toThrow(
      refusal('NOT_ASKED'),
    );
    expect(follow(both, [10, claim('domain')], [25, claim('layer-9')]).state.holder).toBe('layer-9');
  });

  it.each([0, -1, 999, 4 * HOUR + 1, Number.NaN, Number.POSITIVE_INFINITY])('claimed for %d ms: refused', (forMs) => {
    expect(() => follow(both, [1, { kind: 'CLAIM', agent: 'domain', forMs }])).toThrow(refusal('INVALID_INPUT'));
  });

  it('declined by all who are asked: up at once', () => {
    const first = follow(both, [10, decline('domain')]);
    expect(first).toMatchObject({ state: { step: 0, declined: ['domain'], dueAt: minute(60) }, effects: [] });
    expect(follow(both, [10, decline('domain')], [11, decline('domain')]).state).toEqual(first.state);
    expect(follow(both, [10, decline('domain')], [12, decline('chief')])).toMatchObject({
      state: { step: 1, asked: ['ceo'], declined: [], dueAt: minute(72) },
      effects: [asks(['ceo'], 1)],
    });
    expect(() => follow(both, [10, decline('ceo')])).toThrow(refusal('NOT_ASKED'));
  });

  it('declined by the one who was on it: the others get the wait, and no second message', () => {
    expect(follow(both, [10, claim('domain')], [20, decline('domain')])).toMatchObject({
      state: { status: 'ASKING', step: 0, round: 0, holder: null, declined: ['domain'], dueAt: minute(80) },
      effects: [],
    });
  });
});

describe('a verdict', () => {
  it('of anybody acts on the job, and closes the escalation when it has acted', () => {
    const decided = follow(aContext(), [5, decide('layer-9')]);
    const verdict = aVerdict('layer-9');
    expect(decided).toMatchObject({
      state: { status: 'DECIDED', verdict, dueAt: null },
      effects: [{ kind: 'APPLY', verdict }],
    });
    expect(follow(aContext(), [5, decide('layer-9')], [6, applied]).state).toMatchObject({
      status: 'RESOLVED',
      verdict,
    });
  });

  it('that pauses the target leaves the job held, for another verdict', () => {
    const context = aContext({ steps: [aStep({ allowedVerdicts: ['PAUSE_TARGET', 'RETRY'] })] });
    const paused = [
      [5, decide('chief', 'PAUSE_TARGET')],
      [6, applied],
    ] as const;
    expect(follow(context, ...paused).state).toMatchObject({ status: 'HELD', dueAt: null });
    expect(follow(context, ...paused, [900, decide('chief')], [901, applied]).state.status).toBe('RESOLVED');
  });

  it('is taken when everybody stayed silent', () => {
    expect(follow(aContext(), ...toEnd, [999, decide('ceo', 'ABORT')]).state.status).toBe('DECIDED');
  });

  it.each(VERDICTS)('%s is refused where the step does not allow it, naming those that are left', (kind) => {
    const allowedVerdicts = VERDICTS.filter((one) => one !== kind);
    const decideIt = () => follow(aContext({ steps: [aStep({ allowedVerdicts })] }), [1, decide('chief', kind)]);
    expect(decideIt).toThrow(refusal('VERDICT_NOT_ALLOWED'));
    expect(decideIt).toThrow(allowedVerdicts.join(', '));
  });

  it('takes a patch when it is PATCH_SPEC, and only then', () => {
    const context = aContext({ steps: [aStep({ allowedVerdicts: ['PATCH_SPEC', 'RETRY'] })] });
    expect(follow(context, [1, decide('chief', 'PATCH_SPEC', { patch: {} })]).state.status).toBe('DECIDED');
    expect(() => follow(context, [1, decide('chief', 'PATCH_SPEC')])).toThrow(refusal('INVALID_INPUT'));
    expect(() => follow(context, [1, decide('chief', 'RETRY', { patch: {} })])).toThrow(refusal('INVALID_INPUT'));
  });

  it('that fails asks the same again, once; failed twice it cannot be chosen there, and above it can', () => {
    const context = aContext();
    const once = [
      [1, decide('domain')],
      [2, failed],
    ] as const;
    expect(follow(context, ...once)).toMatchObject({
      state: { status: 'ASKING', step: 0, round: 1, failures: { '0:RETRY': 1 }, verdict: null, dueAt: minute(32) },
      effects: [asks(['domain'], 0, 1)],
    });
    const twice = [...once, [3, decide('domain')], [4, failed]] as const;
    expect(follow(context, ...twice).state).toMatchObject({ step: 0, round: 2 });
    expect(() => follow(context, ...twice, [5, decide('domain')])).toThrow(refusal('VERDICT_NOT_ALLOWED'));
    expect(follow(context, ...twice, [34, due], [35, decide('chief')]).state.status).toBe('DECIDED');
  });

  it('the last of a step that fails twice moves up, past every step without any left', () => {
    const one = (role: 'DOMAIN' | 'CHIEF') => aStep({ ask: [{ role }], allowedVerdicts: ['RETRY'] });
    const context = aContext({ steps: [one('DOMAIN'), one('CHIEF')], repeat: 1 });
    const twice = [
      [1, decide('x')],
      [2, failed],
      [3, decide('x')],
      [4, failed],
    ] as const;
    expect(follow(context, ...twice)).toMatchObject({ state: { step: 1, round: 1 }, effects: [asks(['chief'], 1, 1)] });
    // The second climb has nothing to offer to the domain.
    expect(follow(context, ...twice, [64, due]).state).toMatchObject({ step: 1, climb: 1, asked: ['chief'] });
  });

  it('needs as many equal votes as the step says, one for each agent, the last one', () => {
    const ask = [{ role: 'DOMAIN' }, { role: 'CHIEF' }, { role: 'CEO' }] as const;
    const context = aContext({ steps: [aStep({ ask, quorum: 2 })] });
    const vote = (agent: string, kind: 'RETRY' | 'ABORT') => decide(agent, kind);
    expect(follow(context, [1, vote('chief', 'RETRY')])).toMatchObject({
      state: { status: 'ASKING', votes: [{ agent: 'chief', kind: 'RETRY' }], dueAt: minute(60) },
      effects: [],
    });
    expect(follow(context, [1, vote('chief', 'RETRY')], [2, vote('chief', 'RETRY')]).state.status).toBe('ASKING');
    expect(follow(context, [1, vote('chief', 'RETRY')], [2, vote('ceo', 'ABORT')]).state.status).toBe('ASKING');
    expect(
      follow(context, [1, vote('chief', 'RETRY')], [2, vote('ceo', 'ABORT')], [3, vote('chief', 'ABORT')]).effects,
    ).toEqual([{ kind: 'APPLY', verdict: aVerdict('chief', 'ABORT') }]);
    // A claim does not keep the others from voting once its holder has voted.
    const claimed = [
      [1, claim('ceo')],
      [2, vote('ceo', 'RETRY')],
    ] as const;
    expect(follow(context, ...claimed, [3, vote('domain', 'RETRY')]).state.status).toBe('DECIDED');
    // Who declines takes the vote back.
    const declined = [
      [1, vote('chief', 'RETRY')],
      [2, decline('chief')],
    ] as const;
    expect(follow(context, ...declined, [3, vote('domain', 'RETRY')]).state.status).toBe('ASKING');
    // When two have declined the third can reach nothing.
    expect(follow(context, [1, decline('domain')]).state.status).toBe('ASKING');
    expect(follow(context, [1, decline('domain')], [2, decline('chief')]).state.status).toBe('HELD');
    // Votes are for one time of being asked.
    const two = aContext({ steps: [aStep({ ask, quorum: 2 }), aStep({ ask, quorum: 2, waitMs: MINUTE })] });
    const moved = [
      [1, vote('chief', 'RETRY')],
      [60, due],
    ] as const;
    expect(follow(two, ...moved, [60.5, vote('ceo', 'RETRY')]).state.status).toBe('ASKING');
    expect(follow(context, [1, vote('chief', 'RETRY')], [2, vote('ceo', 'RETRY')], [3, failed]).state.votes).toEqual(
      [],
    );
  });

  it('needs no more votes than the step can ask of this owner, and as many after a reassignment', () => {
    const steps = [aStep({ ask: [{ role: 'PEER' }, { role: 'CHIEF' }], quorum: 2 })];
    expect(follow(aContext({ steps }), [1, decide('chief')]).state.status).toBe('DECIDED');
    const four = aContext({ steps: [aStep({ ask: [{ role: 'DOMAIN' }, { role: 'CHIEF' }], quorum: 2 })] });
    const reassigned = [1, { kind: 'REASSIGN', agent: 'layer-9', to: 'layer-9' }] as const;
    expect(follow(four, reassigned, [2, decide('layer-9')]).state.status).toBe('ASKING');
  });
});
