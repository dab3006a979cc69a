import { canonicalJson } from '../../../escalation/canonical-json.js';
import { endDecided } from '../../../escalation/decide-change.js';
import { ENGINE } from '../../../escalation/decision.js';
import type { Effect, Escalation, EscalationEvent, EscalationState } from '../../../escalation/escalation.js';
import type { LogEntry } from '../../../escalation/ports.js';
import { type LadderContext, openState, type Transitioned, transition } from '../../../escalation/transition.js';

/** A logical notification as the state table wants it. */
export interface Wanted {
  readonly round: number;
  readonly step: number;
  readonly agent: string;
  readonly purpose: 'ASK' | 'TELL';
}

export interface Replayed {
  /** What the log says otherwise than the state table. */
  readonly differences: readonly string[];
  /** By `<round> <step> <agent>`. */
  readonly wanted: ReadonlyMap<string, Wanted>;
  readonly state: EscalationState | null;
  /** Of each change, in order; the version that it made is one more than the index. */
  readonly changes: readonly { readonly kind: string; readonly actor: string; readonly state: EscalationState }[];
}

/** Rows of the log that tell of no change of state. */
const NOTES: readonly string[] = ['OCCURRED', 'COMMENT', 'DELIVERED', 'UNDELIVERABLE', 'POLICY_SAVED'];

/**
 * Plays the events of an escalation's log through the pure state table once more, and holds everything that the log
 * says they led to against what the table says.
 */
export function replay(entries: readonly LogEntry[], ladder: LadderContext): Replayed {
  const differences: string[] = [];
  const wanted = new Map<string, Wanted>();
  const changes: { kind: string; actor: string; state: EscalationState }[] = [];
  let state: EscalationState | null = null;
  let before: LogEntry | null = null;
  for (const entry of entries.filter(({ kind }) => !NOTES.includes(kind))) {
    const stepped = replayOne(state, entry, before, ladder);
    if (typeof stepped === 'string') differences.push(`${entry.kind} (row ${entry.seq}): ${stepped}`);
    // What cannot be followed any more cannot be judged either.
    if (typeof stepped === 'string') break;
    for (const one of wantedBy(stepped.effects)) {
      const key = keyWithin(one);
      if (!wanted.has(key)) wanted.set(key, one);
    }
    state = stepped.state;
    before = entry;
    changes.push({ kind: entry.kind, actor: entry.actor, state });
  }
  return { differences, wanted, state, changes };
}

export const keyWithin = ({ round, step, agent }: Omit<Wanted, 'purpose'>): string => `${round} ${step} ${agent}`;

const wantedBy = (effects: readonly Effect[]): readonly Wanted[] =>
  effects.flatMap((effect) => {
    if (effect.kind !== 'NOTIFY') return [];
    const { round, step, purpose } = effect;
    return effect.agents.map((agent) => ({ round, step, agent, purpose }));
  });

/** @returns in words what does not agree */
function replayOne(
  state: EscalationState | null,
  entry: LogEntry,
  before: LogEntry | null,
  ladder: LadderContext,
): Transitioned | string {
  if ((state === null) !== (entry.kind === 'OPEN')) return 'it stands at the wrong place';
  if (entry.kind === 'DUE' && entry.data.dueAt !== state?.dueAt?.toISOString()) {
    return `it was due at ${entry.data.dueAt}, and the state table says ${state?.dueAt?.toISOString()}`;
  }
  const follow = (at: Date): Transitioned | string => {
    try {
      const followed = state === null ? openState(ladder, at) : transition(state, eventOf(entry), at, ladder);
      return endDecided(followed, at, ladder);
    } catch (error) {
      return `the state table refuses it: ${error}`;
    }
  };
  // The log keeps the moment of the row, and not that of the decision. It lies between the row before (or the due
  // time) and this one, and the next due time tells it when it was counted from there.
  const latest = entry.at;
  const earliest = (entry.kind === 'DUE' ? state?.dueAt : before?.at) ?? new Date(0);
  const bounds = [latest, earliest].map((at) => ({ at, answer: follow(at) }));
  const nextDueAt = dateOf(entry.data.nextDueAt);
  const told = bounds.flatMap(({ at, answer }) => {
    if (typeof answer === 'string' || answer.state.dueAt === null || nextDueAt === null) return [];
    const moment = new Date(at.getTime() + nextDueAt.getTime() - answer.state.dueAt.getTime());
    return earliest < moment && moment < latest ? [moment] : [];
  });
  const differences = new Set<string>();
  for (const answer of [...bounds.map((bound) => bound.answer), ...told.map(follow)]) {
    const difference = typeof answer === 'string' ? answer : differenceOf(entry, answer);
    if (difference === null && typeof answer !== 'string') return answer;
    if (difference !== null) differences.add(difference);
  }
  return [...differences].join('; or ');
}

function differenceOf(entry: LogEntry, { state, effects }: Transitioned): string | null {
  const agents = new Set([
    ...wantedBy(effects).map(({ agent }) => agent),
    ...(state.holder === null || entry.kind === 'OPEN' ? [] : [state.holder]),
  ]);
  const { step, round, asked, nextDueAt } = entry.data;
  const one = canonicalJson({ status: entry.status, agents: entry.agents, step, round, asked, nextDueAt });
  const other = canonicalJson({
    status: state.status,
    agents: [...agents],
    step: state.step,
    round: state.round,
    asked: state.asked,
    nextDueAt: state.dueAt?.toISOString() ?? null,
  });
  return one === other ? null : `it led to ${one}, and the state table says ${other}`;
}

const dateOf = (text: unknown): Date | null => (typeof text === 'string' ? new Date(text) : null);

/** The event as it went in; what the log keeps as JSON is given its dates back. */
function eventOf({ kind, data }: LogEntry): EscalationEvent {
  const given = (data.event ?? {}) as Record<string, unknown>;
  const until = typeof given.until === 'string' ? { until: new Date(given.until) } : {};
  // The engine and the service write nothing else under these kinds.
  return { kind, ...given, ...until } as EscalationEvent;
}

/** What is stored must be what the replay came to; the id of a verdict that the engine gave itself is its own. */
export function differsFromStored(state: EscalationState | null, stored: Escalation): string | null {
  const [one, other] = [comparable(state), comparable(stored.state)];
  return one === other ? null : `${other} is stored, and the state table says ${one}`;
}

function comparable(state: EscalationState | null): string {
  if (state === null) return 'nothing';
  const verdict = state.verdict?.agent === ENGINE ? { ...state.verdict, id: ENGINE } : state.verdict;
  return canonicalJson({ ...state, verdict });
}
