import { describe, expect, it } from 'vitest';
import { ENGINE } from '../../../escalation/decision.js';
import { openState, transition } from '../../../escalation/transition.js';
import { aContext, aStep, minute } from './a-policy.js';
import { acknowledge, asks, decide, decline, due, failed, follow, toEnd } from './follow.js';

describe('the ladder', () => {
  it('is climbed in silence, each wait counted from the one before, and ends held', () => {
    const context = aContext();
    expect(follow(context)).toEqual({
      state: expect.objectContaining({ status: 'ASKING', step: 0, round: 0, asked: ['domain'], dueAt: minute(30) }),
      effects: [asks(['domain'], 0)],
    });
    // Noticed late, and still anchored.
    expect(follow(context, [31, due])).toEqual({
      state: expect.objectContaining({ status: 'ASKING', step: 1, asked: ['chief'], dueAt: minute(90) }),
      effects: [asks(['chief'], 1)],
    });
    expect(follow(context, [30, due], [90, due]).state).toMatchObject({ asked: ['ceo'], dueAt: minute(210) });
    expect(follow(context, ...toEnd)).toEqual({
      state: expect.objectContaining({ status: 'HELD', step: 2, asked: ['ceo'], dueAt: null }),
      effects: [{ kind: 'END', action: 'HOLD' }],
    });
  });

  it('does nothing before its time', () => {
    const { state } = follow(aContext());
    expect(transition(state, due, minute(29), aContext())).toEqual({ state, effects: [] });
  });

  it('is climbed again as often as the policy says, in rounds of their own', () => {
    const context = aContext({ steps: [aStep({ tell: [{ role: 'CEO' }] })], repeat: 1 });
    const second = follow(context, [60, due]);
    expect(second.state).toMatchObject({ status: 'ASKING', step: 0, round: 1, climb: 1, dueAt: minute(120) });
    expect(second.effects).toEqual([asks(['chief'], 0, 1), { ...asks(['ceo'], 0, 1), purpose: 'TELL' }]);
    expect(follow(context, [60, due], [120, due]).state.status).toBe('HELD');
  });

  it('skips, waits out or holds a step without anybody, as the step says', () => {
    const peer = (onEmpty: 'SKIP' | 'WAIT' | 'HOLD') => ({
      steps: [aStep({ ask: [{ role: 'PEER' }], tell: [{ role: 'CEO' }], onEmpty }), aStep()],
    });
    expect(follow(aContext(peer('SKIP')))).toMatchObject({ state: { step: 1 }, effects: [asks(['chief'], 1)] });
    const told = { ...asks(['ceo'], 0), purpose: 'TELL' };
    const waiting = { status: 'ASKING', step: 0, asked: [], dueAt: minute(60) };
    expect(follow(aContext(peer('WAIT')))).toMatchObject({ state: waiting, effects: [told] });
    expect(follow(aContext(peer('WAIT')), [60, due]).state).toMatchObject({ step: 1, asked: ['chief'] });
    const holding = { status: 'HELD', step: 0, asked: [], dueAt: null };
    expect(follow(aContext(peer('HOLD')))).toMatchObject({ state: holding, effects: [told] });
    expect(follow(aContext(peer('HOLD')), [5, { kind: 'ESCALATE', agent: 'x' }]).state).toMatchObject({ step: 1 });
  });

  it('ends at once when nobody stands behind any step', () => {
    const context = aContext({ steps: [aStep({ ask: [{ role: 'PEER' }] })], repeat: 100 });
    expect(follow(context)).toMatchObject({ state: { status: 'HELD', asked: [] }, effects: [{ kind: 'END' }] });
  });

  it('asks nobody twice in one step, and does not tell who is asked', () => {
    const steps = [
      aStep({ ask: [{ role: 'CHIEF' }, { agent: 'chief' }], tell: [{ agent: 'chief' }, { role: 'CEO' }] }),
    ];
    expect(follow(aContext({ steps })).effects).toEqual([asks(['chief'], 0), { ...asks(['ceo'], 0), purpose: 'TELL' }]);
  });

  it('carries out another end action by a verdict of the engine, twice at most', () => {
    const context = aContext({ steps: [aStep({ allowedVerdicts: ['ABORT'] })], endAction: 'RETRY' });
    const ended = follow(context, [60, due]);
    expect(ended.effects).toEqual([{ kind: 'END', action: 'RETRY' }]);
    const byEngine = decide(ENGINE, 'RETRY');
    expect(follow(context, [60, due], [60, byEngine]).state).toMatchObject({ status: 'DECIDED', dueAt: null });
    const once = [
      [60, due],
      [60, byEngine],
      [61, failed],
    ] as const;
    expect(follow(context, ...once)).toMatchObject({ state: { round: 1, dueAt: minute(121) } });
    const twice = [...once, [121, due], [121, byEngine], [122, failed]] as const;
    expect(follow(context, ...twice, [182, due]).effects).toEqual([{ kind: 'END', action: 'HOLD' }]);
  });
});

describe('after an outage', () => {
  it.each([
    // One step, with its full wait: no burst, and everybody has the time that the policy gives.
    ['NEXT_STEP' as const, 500, { step: 1, dueAt: minute(560) }],
    ['NEXT_STEP' as const, 60, { step: 1, dueAt: minute(90) }],
    // Who would be asked by now.
    ['SKIP_TO_CURRENT' as const, 60, { step: 1, dueAt: minute(90) }],
    ['SKIP_TO_CURRENT' as const, 90, { step: 2, dueAt: minute(210) }],
    ['SKIP_TO_CURRENT' as const, 100, { step: 2, dueAt: minute(210) }],
    // Nobody is passed over for the end action.
    ['SKIP_TO_CURRENT' as const, 5_000, { step: 2, dueAt: minute(5_120) }],
  ])('%s at minute %i', (catchUp, at, expected) => {
    const { state, effects } = follow(aContext({ catchUp }), [at, due]);
    expect(state).toMatchObject({ status: 'ASKING', ...expected });
    expect(effects).toHaveLength(1);
  });

  it('stops skipping at a step that holds', () => {
    const steps = [aStep(), aStep({ ask: [{ role: 'PEER' }], onEmpty: 'HOLD' }), aStep({ ask: [{ role: 'CEO' }] })];
    expect(follow(aContext({ steps, catchUp: 'SKIP_TO_CURRENT' }), [9_000, due]).state).toMatchObject({
      status: 'HELD',
      step: 1,
    });
  });

  it('skips into the repeat in which one would be', () => {
    const context = aContext({ steps: [aStep()], repeat: 5, catchUp: 'SKIP_TO_CURRENT' });
    expect(follow(context, [200, due]).state).toMatchObject({ climb: 3, round: 3, dueAt: minute(240) });
  });
});

describe('maintenance', () => {
  const maintenance = [
    { from: minute(20), to: minute(50) },
    { from: minute(45), to: minute(80) },
  ];

  it('keeps due times out of its windows, overlapping ones too', () => {
    const context = aContext({ maintenance });
    expect(follow(context).state.dueAt).toEqual(minute(80));
    expect(follow(context, [80, due]).state).toMatchObject({ step: 1, dueAt: minute(140) });
    // A window begins with its first moment, and ends before its last.
    const bounds = aContext({ maintenance: [{ from: minute(30), to: minute(90) }] });
    expect(follow(bounds).state.dueAt).toEqual(minute(90));
    expect(follow(bounds, [90, due]).state).toMatchObject({ status: 'ASKING', step: 1 });
    expect(follow(context, [5, acknowledge('domain')]).state.dueAt).toEqual(minute(80));
  });

  it('lets a failure wait for its end before anybody is asked', () => {
    const context = aContext({ maintenance });
    const opened = openState(context, minute(30));
    expect(opened).toMatchObject({ state: { status: 'SNOOZED', asked: [], dueAt: minute(80) }, effects: [] });
    expect(transition(opened.state, due, minute(80), context)).toMatchObject({
      state: { status: 'ASKING', step: 0, round: 0, dueAt: minute(110) },
      effects: [asks(['domain'], 0)],
    });
  });

  it('delays a step that is due late, or wanted at once, until its end', () => {
    const context = aContext({ maintenance: [{ from: minute(31), to: minute(80) }] });
    for (const event of [due, { kind: 'ESCALATE', agent: 'x' } as const, decline('domain')]) {
      const quiet = follow(context, [40, event]);
      expect(quiet).toMatchObject({ state: { status: 'SNOOZED', step: 1, dueAt: minute(80) }, effects: [] });
      expect(transition(quiet.state, due, minute(80), context)).toMatchObject({
        state: { status: 'ASKING', asked: ['chief'], dueAt: minute(140) },
        effects: [asks(['chief'], 1)],
      });
    }
  });

  it('delays a reassignment too, and remembers to whom', () => {
    const context = aContext({ maintenance: [{ from: minute(10), to: minute(80) }] });
    const quiet = follow(context, [20, { kind: 'REASSIGN', agent: 'x', to: 'layer-9' }]);
    expect(quiet).toMatchObject({ state: { status: 'SNOOZED', asked: ['layer-9'] }, effects: [] });
    expect(transition(quiet.state, due, minute(80), context).effects).toEqual([asks(['layer-9'], 0, 1)]);
  });
});
