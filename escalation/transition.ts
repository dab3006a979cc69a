import { SluiceError } from '../src/core/errors.js';
import { checkedClaim, refuseOthersClaim, refuseWithoutClaim } from './claim.js';
import { applied, decide, decline, failed } from './decision.js';
import type { EscalationEvent, EscalationState, EscalationStatus } from './escalation.js';
import { askAgain, climb, type LadderContext, quietUntil, type Transitioned } from './ladder.js';
import { unknownAgent } from './unknown-agent.js';

export type { LadderContext, RoleLookup, Transitioned } from './ladder.js';

type EventKind = EscalationEvent['kind'];

/** Somebody can still do something about it. */
const OPEN: readonly EscalationStatus[] = ['ASKING', 'ACKNOWLEDGED', 'CLAIMED', 'SNOOZED', 'HELD'];

/**
 * In which statuses an event counts. Elsewhere an agent is refused; what comes by itself may come late or twice, and
 * changes nothing.
 */
export const COUNTS_IN: Readonly<
  Record<EventKind, { readonly statuses: readonly EscalationStatus[]; readonly elsewhere: 'REFUSED' | 'IGNORED' }>
> = {
  OPEN: { statuses: [], elsewhere: 'IGNORED' },
  DUE: { statuses: ['ASKING', 'ACKNOWLEDGED', 'CLAIMED', 'SNOOZED'], elsewhere: 'IGNORED' },
  ACKNOWLEDGE: { statuses: OPEN, elsewhere: 'REFUSED' },
  CLAIM: { statuses: OPEN, elsewhere: 'REFUSED' },
  RENEW: { statuses: OPEN, elsewhere: 'REFUSED' },
  RELEASE: { statuses: OPEN, elsewhere: 'REFUSED' },
  DECLINE: { statuses: OPEN, elsewhere: 'REFUSED' },
  DECIDE: { statuses: OPEN, elsewhere: 'REFUSED' },
  APPLIED: { statuses: ['DECIDED'], elsewhere: 'IGNORED' },
  FAILED: { statuses: ['DECIDED'], elsewhere: 'IGNORED' },
  ESCALATE: { statuses: OPEN, elsewhere: 'REFUSED' },
  SNOOZE: { statuses: OPEN, elsewhere: 'REFUSED' },
  REASSIGN: { statuses: OPEN, elsewhere: 'REFUSED' },
  RESOLVE: { statuses: OPEN, elsewhere: 'REFUSED' },
  RECOVER: { statuses: OPEN, elsewhere: 'IGNORED' },
  // What is open already stays as it is.
  REOPEN: { statuses: [...OPEN, 'RESOLVED'], elsewhere: 'REFUSED' },
};

const NOTHING_YET: EscalationState = {
  status: 'ASKING',
  step: -1,
  round: 0,
  climb: 0,
  asked: [],
  declined: [],
  holder: null,
  dueAt: null,
  votes: [],
  verdict: null,
  failures: {},
};

/** The state in which an escalation begins: the first step that has somebody to ask. */
export const openState = (context: LadderContext, at: Date): Transitioned => climb(NOTHING_YET, at, at, context);

/**
 * The one table of escalations: what an event makes of a state, and what has to be done for it. Pure: the engine and
 * the simulation both run on it.
 *
 * An END with an action other than HOLD is carried out by a DECIDE of the agent `ENGINE` with that verdict.
 * @param at the database's time
 * @throws SluiceError ESCALATION_CLOSED, NOT_ASKED, VERDICT_NOT_ALLOWED, UNKNOWN_AGENT, INVALID_INPUT
 */
export function transition(
  state: EscalationState,
  event: EscalationEvent,
  at: Date,
  context: LadderContext,
): Transitioned {
  const { statuses, elsewhere } = COUNTS_IN[event.kind];
  if (!statuses.includes(state.status)) {
    if (elsewhere === 'IGNORED') return unchanged(state);
    throw closed(state);
  }
  const actor = event.kind === 'DECIDE' ? event.verdict.agent : 'agent' in event ? event.agent : null;
  if (actor !== null) refuseOthersClaim(state, actor, at, context);
  return follow(state, event, at, context);
}

function follow(state: EscalationState, event: EscalationEvent, at: Date, context: LadderContext): Transitioned {
  switch (event.kind) {
    case 'OPEN':
      return unchanged(state);
    case 'DUE':
      return due(state, at, context);
    case 'ACKNOWLEDGE':
      return acknowledge(state, event.agent, at, context);
    case 'CLAIM':
      return claimed(state, event.agent, event.forMs, at, context);
    case 'RENEW':
      refuseWithoutClaim(state, event.agent, at);
      return claimed(state, event.agent, event.forMs, at, context);
    case 'RELEASE':
      refuseWithoutClaim(state, event.agent, at);
      return askAgain({ ...state, round: state.round + 1 }, at, at, context);
    case 'DECLINE':
      return decline(state, event.agent, at, context);
    case 'DECIDE':
      return decide(state, event.verdict, context);
    case 'APPLIED':
      return applied(state);
    case 'FAILED':
      return failed(state, at, context);
    case 'ESCALATE':
      return escalate(state, at, context);
    case 'SNOOZE':
      return snooze(state, event.until, at, context);
    case 'REASSIGN':
      return reassign(state, event.to, at, context);
    case 'RESOLVE':
      return resolved(state);
    case 'RECOVER':
      return context.policy.autoResolve ? resolved(state) : unchanged(state);
    case 'REOPEN':
      return state.status === 'RESOLVED' ? again(state, at, context) : unchanged(state);
  }
}

function due(state: EscalationState, at: Date, context: LadderContext): Transitioned {
  if (state.dueAt === null || at < state.dueAt) return unchanged(state);
  if (state.status === 'SNOOZED') return askAgain(state, state.dueAt, at, context);
  return climb(state, state.dueAt, at, context);
}

/** Whoever acknowledges last is on it. A claim is more than that, and stays one. */
function acknowledge(state: EscalationState, agent: string, at: Date, context: LadderContext): Transitioned {
  if (state.status === 'CLAIMED' && state.holder === agent && state.dueAt !== null && at < state.dueAt) {
    return unchanged(state);
  }
  const dueAt = quietUntil(new Date(at.getTime() + context.policy.ackTimeoutMs), context);
  return { state: { ...state, status: 'ACKNOWLEDGED', holder: agent, dueAt }, effects: [] };
}

function claimed(state: EscalationState, agent: string, forMs: number, at: Date, context: LadderContext): Transitioned {
  const dueAt = quietUntil(new Date(at.getTime() + checkedClaim(forMs)), context);
  return { state: { ...state, status: 'CLAIMED', holder: agent, dueAt }, effects: [] };
}

/** The next step now. Behind the end of the ladder it is climbed once more, because somebody wants it. */
function escalate(state: EscalationState, at: Date, context: LadderContext): Transitioned {
  const next = climb(state, at, at, context);
  const isOver = state.status === 'HELD' && next.effects.some(({ kind }) => kind === 'END');
  return isOver ? climb({ ...state, step: -1, round: state.round + 1 }, at, at, context) : next;
}

const MAX_SNOOZE_MS = 7 * 24 * 3_600_000;

/** The round grows here and not on waking, because maintenance is slept through without anybody having been asked. */
function snooze(state: EscalationState, until: Date, at: Date, context: LadderContext): Transitioned {
  const forMs = until.getTime() - at.getTime();
  if (!(forMs > 0 && forMs <= MAX_SNOOZE_MS)) {
    throw new SluiceError('INVALID_INPUT', 'Snooze until a time within the next 7 days.', { path: ['until'] });
  }
  const dueAt = quietUntil(until, context);
  return {
    state: { ...state, status: 'SNOOZED', round: state.round + 1, declined: [], holder: null, dueAt },
    effects: [],
  };
}

function reassign(state: EscalationState, to: string, at: Date, context: LadderContext): Transitioned {
  if (context.lookup(context.owner, { agent: to }).length === 0) throw unknownAgent(to, ['to']);
  return askAgain({ ...state, round: state.round + 1, asked: [to] }, at, at, context);
}

const resolved = (state: EscalationState): Transitioned => ({
  state: { ...state, status: 'RESOLVED', holder: null, dueAt: null },
  effects: [],
});

/** From the first step, with nothing held against any verdict. */
const again = (state: EscalationState, at: Date, context: LadderContext): Transitioned =>
  climb({ ...NOTHING_YET, round: state.round + 1 }, at, at, context);

const unchanged = (state: EscalationState): Transitioned => ({ state, effects: [] });

const closed = ({ status }: EscalationState): SluiceError =>
  new SluiceError(
    'ESCALATION_CLOSED',
    status === 'DECIDED' ? 'Its verdict is being carried out.' : 'The escalation is resolved; reopen it first.',
  );
