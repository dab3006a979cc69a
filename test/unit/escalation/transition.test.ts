import { describe, expect, it } from 'vitest';
import {
  ESCALATION_STATUSES,
  type EscalationEvent,
  type EscalationState,
  type EscalationStatus,
} from '../../../escalation/escalation.js';
import { COUNTS_IN, transition } from '../../../escalation/transition.js';
import { aContext, MINUTE, minute } from './a-policy.js';
import {
  acknowledge,
  applied,
  asks,
  claim,
  decide,
  decline,
  due,
  failed,
  follow,
  refusal,
  resolve,
  toEnd,
} from './follow.js';

describe('every event in every status', () => {
  const reached: Readonly<Record<EscalationStatus, readonly (readonly [number, EscalationEvent])[]>> = {
    ASKING: [],
    ACKNOWLEDGED: [[1, acknowledge('domain')]],
    CLAIMED: [[1, claim('domain')]],
    SNOOZED: [[1, { kind: 'SNOOZE', agent: 'domain', until: minute(30) }]],
    DECIDED: [[1, decide('domain')]],
    HELD: toEnd,
    RESOLVED: [[1, resolve]],
  };
  const events: Readonly<Record<EscalationEvent['kind'], EscalationEvent>> = {
    OPEN: { kind: 'OPEN' },
    DUE: due,
    ACKNOWLEDGE: acknowledge('domain'),
    CLAIM: claim('domain'),
    RENEW: { kind: 'RENEW', agent: 'domain', forMs: MINUTE },
    RELEASE: { kind: 'RELEASE', agent: 'domain' },
    DECLINE: decline('domain'),
    DECIDE: decide('domain'),
    APPLIED: applied,
    FAILED: failed,
    ESCALATE: { kind: 'ESCALATE', agent: 'domain' },
    SNOOZE: { kind: 'SNOOZE', agent: 'domain', until: minute(300) },
    REASSIGN: { kind: 'REASSIGN', agent: 'domain', to: 'layer-9' },
    RESOLVE: { kind: 'RESOLVE', agent: 'domain' },
    RECOVER: { kind: 'RECOVER' },
    REOPEN: { kind: 'REOPEN', agent: 'domain' },
  };
  const pairs = ESCALATION_STATUSES.flatMap((status) =>
    Object.values(events).map((event) => [event.kind, status, event] as const),
  );

  const context = aContext();
  const outcome = (status: EscalationStatus, event: EscalationEvent): string => {
    const { state } = follow(context, ...reached[status]);
    expect(state.status).toBe(status);
    try {
      const next = transition(state, event, minute(240), context);
      return next.state === state ? '-' : next.state.status;
    } catch (thrown) {
      expect(thrown).toEqual(refusal((thrown as { code: string }).code));
      return (thrown as { code: string }).code;
    }
  };

  it('has an answer or a refusal with a code', () => {
    const table = Object.fromEntries(
      Object.values(events).map((event) => [
        event.kind,
        ESCALATION_STATUSES.map((status) => outcome(status, event)).join(' '),
      ]),
    );
    const [shut, claimed] = ['ESCALATION_CLOSED', 'NOT_ASKED'];
    // The times are late: a lease and a wait have run out by then.
    expect(table).toEqual({
      //           ASKING ACKNOWLEDGED CLAIMED SNOOZED DECIDED HELD RESOLVED
      OPEN: '- - - - - - -',
      DUE: 'ASKING ASKING ASKING ASKING - - -',
      ACKNOWLEDGE: `ACKNOWLEDGED ACKNOWLEDGED ACKNOWLEDGED ACKNOWLEDGED ${shut} ACKNOWLEDGED ${shut}`,
      CLAIM: `CLAIMED CLAIMED CLAIMED CLAIMED ${shut} CLAIMED ${shut}`,
      RENEW: `${claimed} ${claimed} ${claimed} ${claimed} ${shut} ${claimed} ${shut}`,
      RELEASE: `${claimed} ${claimed} ${claimed} ${claimed} ${shut} ${claimed} ${shut}`,
      DECLINE: `ASKING ASKING ASKING ASKING ${shut} ${claimed} ${shut}`,
      DECIDE: `DECIDED DECIDED DECIDED DECIDED ${shut} DECIDED ${shut}`,
      APPLIED: '- - - - RESOLVED - -',
      FAILED: '- - - - ASKING - -',
      ESCALATE: `ASKING ASKING ASKING ASKING ${shut} ASKING ${shut}`,
      SNOOZE: `SNOOZED SNOOZED SNOOZED SNOOZED ${shut} SNOOZED ${shut}`,
      REASSIGN: `ASKING ASKING ASKING ASKING ${shut} ASKING ${shut}`,
      RESOLVE: `RESOLVED RESOLVED RESOLVED RESOLVED ${shut} RESOLVED ${shut}`,
      RECOVER: 'RESOLVED RESOLVED RESOLVED RESOLVED - RESOLVED -',
      REOPEN: `- - - - ${shut} - ASKING`,
    });
  });

  it.each(pairs)('is what the table says: %s in %s', (kind, status, event) => {
    const { statuses, elsewhere } = COUNTS_IN[kind];
    const result = outcome(status, event);
    if (!statuses.includes(status)) expect(result).toBe(elsewhere === 'IGNORED' ? '-' : 'ESCALATION_CLOSED');
  });
});

describe('by hand', () => {
  it('escalated: the next step at once; behind the end, the ladder once more', () => {
    const up: EscalationEvent = { kind: 'ESCALATE', agent: 'x' };
    expect(follow(aContext(), [5, up]).state).toMatchObject({ step: 1, dueAt: minute(65) });
    expect(follow(aContext(), ...toEnd, [300, up])).toMatchObject({
      state: { step: 0, round: 1, dueAt: minute(330) },
      effects: [asks(['domain'], 0, 1)],
    });
    // From the last step there is only the end action above.
    expect(follow(aContext(), [5, up], [6, up], [7, up]).effects).toEqual([{ kind: 'END', action: 'HOLD' }]);
  });

  it('snoozed: quiet, then the same agents are asked again', () => {
    const snooze = (until: number): EscalationEvent => ({ kind: 'SNOOZE', agent: 'domain', until: minute(until) });
    const quiet = follow(aContext(), [5, snooze(500)]);
    expect(quiet).toMatchObject({ state: { status: 'SNOOZED', dueAt: minute(500) }, effects: [] });
    expect(follow(aContext(), [5, snooze(500)], [505, due]).state.dueAt).toEqual(minute(530));
    expect(follow(aContext(), [5, snooze(500)], [500, due])).toMatchObject({
      state: { status: 'ASKING', step: 0, round: 1, dueAt: minute(530) },
      effects: [asks(['domain'], 0, 1)],
    });
    for (const until of [5, 4, 5 + 7 * 24 * 60 + 1, Number.NaN]) {
      expect(() => follow(aContext(), [5, snooze(until)])).toThrow(refusal('INVALID_INPUT'));
    }
    expect(follow(aContext(), [5, snooze(5 + 7 * 24 * 60)]).state.status).toBe('SNOOZED');
  });

  it('reassigned: to one agent, with the wait anew', () => {
    const to = (agent: string): EscalationEvent => ({ kind: 'REASSIGN', agent: 'x', to: agent });
    expect(follow(aContext(), [5, to('layer-9')])).toMatchObject({
      state: { status: 'ASKING', step: 0, round: 1, asked: ['layer-9'], dueAt: minute(35) },
      effects: [asks(['layer-9'], 0, 1)],
    });
    expect(() => follow(aContext(), [5, to('ghost')])).toThrow(refusal('UNKNOWN_AGENT'));
  });

  it('resolved and reopened: from the first step, with nothing held against any verdict', () => {
    const fails = [
      [1, decide('x')],
      [2, failed],
      [30, resolve],
    ] as const;
    expect(follow(aContext(), ...fails).state).toMatchObject({ status: 'RESOLVED', dueAt: null, holder: null });
    const reopened = follow(aContext(), ...fails, [40, { kind: 'REOPEN', agent: 'x' }]);
    expect(reopened).toMatchObject({
      state: { status: 'ASKING', step: 0, round: 2, climb: 0, failures: {}, verdict: null, dueAt: minute(70) },
      effects: [asks(['domain'], 0, 2)],
    });
  });
});

it('closes by itself when what failed works again, if the policy wants that', () => {
  const recover: EscalationEvent = { kind: 'RECOVER' };
  expect(follow(aContext(), [5, recover]).state.status).toBe('RESOLVED');
  expect(follow(aContext({ autoResolve: false }), [5, recover]).state.status).toBe('ASKING');
});

it('throws a SluiceError and nothing else, also for a state of another policy', () => {
  const lost: EscalationState = { ...follow(aContext()).state, step: 7 };
  expect(() => transition(lost, decide('x'), minute(1), aContext())).toThrow(refusal('INTERNAL'));
});
