import { SluiceError } from '../src/core/errors.js';
import { DEFAULT_CLAIM_MS } from './claim.js';
import { ENGINE } from './decision.js';
import { describeEvent } from './describe-event.js';
import type { Effect, EscalationEvent, EscalationState } from './escalation.js';
import type { SimulatedEvent, SimulateInput } from './service.js';
import { type LadderContext, openState, type Transitioned, transition } from './transition.js';
import type { VerdictKind } from './verdict.js';

type Doing = SimulateInput['behaviour'][number];

/** More than the longest ladder has in silence: 20 steps, climbed 101 times. */
const MAX_EVENTS = 10_000;

/** An event, and what the engine would have had to do for it. */
export interface Played {
  readonly event: SimulatedEvent;
  readonly effects: readonly Effect[];
}

/**
 * One escalation in virtual time. Whenever an agent is asked, it does what its behaviour says so much later, until the
 * escalation is resolved; every verdict works. What is due comes before what an agent does in the same millisecond.
 */
export class SimulationRun {
  private readonly played: Played[] = [];
  /** What agents will do, the earliest first. */
  private readonly plans: { readonly atMs: number; readonly doing: Doing }[] = [];
  private verdicts = 0;

  constructor(
    private readonly context: LadderContext,
    private readonly behaviour: readonly Doing[],
    private readonly from: Date,
  ) {}

  /** @throws SluiceError INVALID_INPUT when there is no end to what agents do */
  play(): readonly Played[] {
    let state = this.record('OPEN', [], openState(this.context, this.from), 0);
    while (state.status !== 'RESOLVED') {
      if (this.played.length > MAX_EVENTS) {
        const message = `More than ${MAX_EVENTS} events: let agents do less, or repeat the ladder less often.`;
        throw new SluiceError('INVALID_INPUT', message, { path: ['behaviour'] });
      }
      const dueMs = state.dueAt === null ? Number.POSITIVE_INFINITY : state.dueAt.getTime() - this.from.getTime();
      const plan = this.plans[0];
      if (plan && plan.atMs < dueMs) {
        this.plans.shift();
        state = this.act(state, plan.doing, plan.atMs);
      } else if (state.dueAt !== null) {
        state = this.step(state, { kind: 'DUE' }, [], dueMs);
      } else break;
    }
    return this.played;
  }

  private step(
    state: EscalationState,
    event: EscalationEvent,
    agents: readonly string[],
    atMs: number,
  ): EscalationState {
    const at = new Date(this.from.getTime() + atMs);
    return this.record(event.kind, agents, transition(state, event, at, this.context), atMs);
  }

  /** Notes the event and carries out what it asks for. */
  private record(
    kind: string,
    actors: readonly string[],
    { state, effects }: Transitioned,
    atMs: number,
  ): EscalationState {
    const [asked, told] = [agentsOf(effects, 'ASK'), agentsOf(effects, 'TELL')];
    const { status, step, round } = state;
    const description = describeEvent(kind, actors, state, effects);
    const agents = actors.length > 0 ? actors : [...asked, ...told];
    this.played.push({ event: { atMs, kind, status, step, round, agents, description }, effects });
    for (const doing of this.behaviour) {
      if (asked.includes(doing.agent)) this.plans.push({ atMs: atMs + doing.afterMs, doing });
    }
    if (asked.length > 0) this.plans.sort((a, b) => a.atMs - b.atMs);
    return effects.reduce((after, effect) => this.carryOut(effect, after, atMs), state);
  }

  private carryOut(effect: Effect, state: EscalationState, atMs: number): EscalationState {
    if (effect.kind === 'APPLY') return this.step(state, { kind: 'APPLIED' }, [], atMs);
    if (effect.kind === 'NOTIFY' || effect.action === 'HOLD') return state;
    return this.step(state, this.decide(effect.action, ENGINE), [ENGINE], atMs);
  }

  private act(state: EscalationState, doing: Doing, atMs: number): EscalationState {
    try {
      return this.step(state, this.eventOf(doing, state), [doing.agent], atMs);
    } catch (thrown) {
      if (!(thrown instanceof SluiceError)) throw thrown;
      const { status, step, round } = state;
      const description = `${doing.agent} cannot ${doing.does.toLowerCase()}: ${thrown.message}`;
      const event = { atMs, kind: 'REFUSED', status, step, round, agents: [doing.agent], description };
      this.played.push({ event, effects: [] });
      return state;
    }
  }

  private eventOf({ agent, does, verdict }: Doing, state: EscalationState): EscalationEvent {
    if (does === 'CLAIM') return { kind: 'CLAIM', agent, forMs: DEFAULT_CLAIM_MS };
    if (does !== 'DECIDE') return { kind: does, agent };
    const first = this.context.policy.steps[state.step]?.allowedVerdicts[0];
    return this.decide(verdict ?? first ?? 'RETRY', agent);
  }

  private decide(kind: VerdictKind, agent: string): EscalationEvent {
    this.verdicts += 1;
    const patch = kind === 'PATCH_SPEC' ? {} : null;
    return { kind: 'DECIDE', verdict: { id: `simulated-${this.verdicts}`, kind, agent, patch, comment: null } };
  }
}

/** Whom the effects ask, or tell. */
export const agentsOf = (effects: readonly Effect[], purpose: 'ASK' | 'TELL'): readonly string[] =>
  effects.flatMap((effect) => (effect.kind === 'NOTIFY' && effect.purpose === purpose ? effect.agents : []));
