import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EscalationEvent, EscalationState } from '../../../escalation/escalation.js';
import { afterMaintenance } from '../../../escalation/maintenance.js';
import { simulate } from '../../../escalation/simulate.js';
import { type LadderContext, openState, type Transitioned, transition } from '../../../escalation/transition.js';
import { VERDICTS } from '../../../escalation/verdict.js';
import { SluiceError } from '../../../src/core/errors.js';
import { aVerdict, MINUTE, minute } from './a-policy.js';
import { anyAgent, anyBehaviour, anyLadder } from './any-ladder.js';
import { VirtualEngine } from './virtual-engine.js';

const seed = Date.now() % 2 ** 31;

/** Moves by itself exactly as long as it waits for somebody. */
function checkState(state: EscalationState, before: EscalationState | null, at: Date, { policy }: LadderContext): void {
  const waits = ['ASKING', 'ACKNOWLEDGED', 'CLAIMED', 'SNOOZED'].includes(state.status);
  if (waits !== (state.dueAt !== null)) throw new Error(`${state.status} with dueAt ${state.dueAt?.toISOString()}`);
  if (state.dueAt !== null) {
    // A vote leaves an overdue state overdue.
    if (state.dueAt <= at && state.dueAt !== before?.dueAt) throw new Error('it was due before it began to wait');
    if (afterMaintenance(state.dueAt, policy.maintenance) > state.dueAt) throw new Error('it is due in maintenance');
  }
  if (state.status === 'DECIDED' && state.verdict === null) throw new Error('DECIDED without a verdict');
  if (state.climb > policy.repeat || !policy.steps[state.step]) throw new Error('off the ladder');
}

const keysOf = ({ effects }: Transitioned): readonly string[] =>
  effects.flatMap((effect) =>
    effect.kind === 'NOTIFY' ? effect.agents.map((agent) => `${effect.round}/${effect.step}/${agent}`) : [],
  );

describe('10,000 random policies and behaviours', () => {
  it('give the same list of events in the simulation and in an engine of its own', { timeout: 180_000 }, () => {
    fc.assert(
      fc.property(anyLadder, anyBehaviour, (ladder, behaviour) => {
        const engine = new VirtualEngine(ladder, behaviour);
        const last = engine.run();
        const { events, endAfterMs } = simulate(ladder.policy, ladder.owner, ladder.lookup, behaviour);
        expect(events.map(({ description: _description, ...event }) => event)).toEqual(engine.log);
        // It ends, and time only goes on.
        expect(['RESOLVED', 'HELD']).toContain(last.status);
        expect(last.dueAt).toBeNull();
        const times = events.map(({ atMs }) => atMs);
        expect(times).toEqual(times.toSorted((a, b) => a - b));
        expect(endAfterMs).toBeGreaterThanOrEqual(0);
        expect(new Set(engine.notified).size).toBe(engine.notified.length);
      }),
      { seed, numRuns: 10_000, verbose: 1 },
    );
  });
});

const anyMoment = fc.integer({ min: 0, max: 24 }).map((fives) => fives * 5);

type EventAt = (at: Date) => EscalationEvent;

const anyEvent: fc.Arbitrary<EventAt> = fc.oneof(
  fc
    .constantFrom<EscalationEvent>(
      { kind: 'OPEN' },
      { kind: 'DUE' },
      { kind: 'APPLIED' },
      { kind: 'FAILED', reason: 'no' },
      { kind: 'RECOVER' },
    )
    .map(
      (event): EventAt =>
        () =>
          event,
    ),
  fc.tuple(fc.constantFrom('ACKNOWLEDGE', 'RELEASE', 'DECLINE', 'ESCALATE', 'RESOLVE', 'REOPEN'), anyAgent).map(
    ([kind, agent]): EventAt =>
      () => ({ kind, agent }),
  ),
  fc.tuple(fc.constantFrom('CLAIM', 'RENEW'), anyAgent, anyMoment).map(
    ([kind, agent, minutes]): EventAt =>
      () => ({ kind, agent, forMs: minutes * MINUTE }),
  ),
  fc.tuple(anyAgent, anyMoment).map(
    ([agent, minutes]): EventAt =>
      (at) => {
        return { kind: 'SNOOZE', agent, until: new Date(at.getTime() + minutes * MINUTE) };
      },
  ),
  fc.tuple(anyAgent, anyAgent).map(
    ([agent, to]): EventAt =>
      () => ({ kind: 'REASSIGN', agent, to }),
  ),
  fc.tuple(anyAgent, fc.constantFrom(...VERDICTS)).map(([agent, kind]): EventAt => {
    const verdict = aVerdict(agent, kind, { patch: kind === 'PATCH_SPEC' ? {} : null });
    return () => ({ kind: 'DECIDE', verdict });
  }),
);

describe('any events at any time', () => {
  it('are answered or refused; nobody is notified twice, and silence leads to the end', { timeout: 180_000 }, () => {
    const anyWalk = fc.array(fc.tuple(anyMoment, anyEvent), { maxLength: 40 });
    fc.assert(
      fc.property(anyLadder, anyWalk, (context, walk) => {
        const notified: string[] = [];
        let at = minute(0);
        const keep = (next: Transitioned, before: EscalationState | null) => {
          const keys = keysOf(next);
          if (keys.length > 0) expect(afterMaintenance(at, context.policy.maintenance)).toEqual(at);
          notified.push(...keys);
          if (next.state !== before) checkState(next.state, before, at, context);
          return next.state;
        };
        let state = keep(openState(context, at), null);
        for (const [minutes, event] of walk) {
          at = new Date(at.getTime() + minutes * MINUTE);
          try {
            state = keep(transition(state, event(at), at, context), state);
          } catch (thrown) {
            if (!(thrown instanceof SluiceError) || thrown.code === 'INTERNAL') throw thrown;
          }
        }
        // From here on nobody does anything: steps, repeats and a sleep, and it stands still.
        const most = context.policy.steps.length * (context.policy.repeat + 1) * 2 + 2;
        for (let silence = 0; state.dueAt !== null; silence += 1) {
          expect(silence).toBeLessThan(most);
          at = new Date(Math.max(at.getTime(), state.dueAt.getTime()));
          state = keep(transition(state, { kind: 'DUE' }, at, context), state);
        }
        expect(['HELD', 'DECIDED', 'RESOLVED']).toContain(state.status);
        expect(new Set(notified).size).toBe(notified.length);
      }),
      { seed, numRuns: 5_000, verbose: 1 },
    );
  });
});
