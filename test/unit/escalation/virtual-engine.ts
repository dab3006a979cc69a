import { ENGINE } from '../../../escalation/decision.js';
import type { Effect, EscalationEvent, EscalationState } from '../../../escalation/escalation.js';
import type { LadderContext, Transitioned } from '../../../escalation/ladder.js';
import type { SimulatedEvent, SimulateInput } from '../../../escalation/service.js';
import { openState, transition } from '../../../escalation/transition.js';
import type { VerdictKind } from '../../../escalation/verdict.js';
import { SluiceError } from '../../../src/core/errors.js';
import { MINUTE } from './a-policy.js';

type Logged = Omit<SimulatedEvent, 'description'>;

interface Appointment {
  readonly atMs: number;
  /** What is due comes before what agents do in the same millisecond. */
  readonly rank: 'a due' | 'b agent';
  readonly keep: () => void;
}

/** The state as a database keeps it. */
const stored = (state: EscalationState): EscalationState => {
  const { dueAt, ...rest } = JSON.parse(JSON.stringify(state)) as EscalationState;
  return { ...rest, dueAt: dueAt === null ? null : new Date(dueAt) };
};

/**
 * An engine of a few lines, made like the real one and unlike the simulation: a row with a version, an outbox with a
 * unique key, and an appointment book. A due time that the row has moved away from is let pass.
 */
export class VirtualEngine {
  readonly log: Logged[] = [];
  readonly notified: string[] = [];
  private readonly book: Appointment[] = [];
  private row: EscalationState;
  private version = 0;
  private verdicts = 0;

  constructor(
    private readonly context: LadderContext,
    private readonly behaviour: SimulateInput['behaviour'],
  ) {
    const opened = openState(context, new Date(0));
    this.row = opened.state;
    this.commit('OPEN', [], opened, 0);
  }

  run(): EscalationState {
    for (let next = this.next(); next && this.row.status !== 'RESOLVED'; next = this.next()) next.keep();
    return this.row;
  }

  private next(): Appointment | undefined {
    const [first] = this.book.toSorted((a, b) => a.atMs - b.atMs || a.rank.localeCompare(b.rank, 'en'));
    if (first) this.book.splice(this.book.indexOf(first), 1);
    return first;
  }

  private apply(event: EscalationEvent, actors: readonly string[], atMs: number): void {
    this.commit(event.kind, actors, transition(this.row, event, new Date(atMs), this.context), atMs);
  }

  private commit(kind: string, actors: readonly string[], { state, effects }: Transitioned, atMs: number): void {
    this.row = stored(state);
    this.version += 1;
    const { status, step, round, dueAt } = this.row;
    const reached = effects.flatMap((effect) => this.send(effect, atMs));
    this.log.push({ atMs, kind, status, step, round, agents: actors.length > 0 ? actors : reached });
    if (dueAt !== null) {
      const seen = this.version;
      const keep = () => {
        if (this.version === seen) this.apply({ kind: 'DUE' }, [], dueAt.getTime());
      };
      this.book.push({ atMs: dueAt.getTime(), rank: 'a due', keep });
    }
    for (const effect of effects) {
      if (effect.kind === 'APPLY') this.apply({ kind: 'APPLIED' }, [], atMs);
      if (effect.kind === 'END' && effect.action !== 'HOLD') this.decide(ENGINE, effect.action, atMs);
    }
  }

  private send(effect: Effect, atMs: number): readonly string[] {
    if (effect.kind !== 'NOTIFY') return [];
    this.notified.push(...effect.agents.map((agent) => `${effect.round}/${effect.step}/${agent}`));
    if (effect.purpose === 'TELL') return effect.agents;
    for (const doing of this.behaviour.filter(({ agent }) => effect.agents.includes(agent))) {
      const at = atMs + doing.afterMs;
      this.book.push({ atMs: at, rank: 'b agent', keep: () => this.act(doing, at) });
    }
    return effect.agents;
  }

  private act({ agent, does, verdict }: SimulateInput['behaviour'][number], atMs: number): void {
    try {
      const usual = this.context.policy.steps.at(this.row.step)?.allowedVerdicts[0];
      if (does === 'DECIDE') this.decide(agent, verdict ?? usual ?? 'RETRY', atMs);
      else if (does === 'CLAIM') this.apply({ kind: does, agent, forMs: 15 * MINUTE }, [agent], atMs);
      else this.apply({ kind: does, agent }, [agent], atMs);
    } catch (thrown) {
      if (!(thrown instanceof SluiceError)) throw thrown;
      const { status, step, round } = this.row;
      this.log.push({ atMs, kind: 'REFUSED', status, step, round, agents: [agent] });
    }
  }

  private decide(agent: string, kind: VerdictKind, atMs: number): void {
    this.verdicts += 1;
    const patch = kind === 'PATCH_SPEC' ? {} : null;
    const verdict = { id: `verdict-${this.verdicts}`, kind, agent, patch, comment: null };
    this.apply({ kind: 'DECIDE', verdict }, [agent], atMs);
  }
}
