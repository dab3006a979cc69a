import { SluiceError } from '../src/core/errors.js';
import type { EscalationState } from './escalation.js';
import {
  askAgain,
  askedAt,
  climb,
  dueAfter,
  failureKey,
  type LadderContext,
  stepAt,
  type Transitioned,
  verdictsLeft,
} from './ladder.js';
import type { Verdict } from './verdict.js';

/** Who decides when the ladder has ended: bound to no step's verdicts and to no quorum. */
export const ENGINE = 'engine';

/**
 * A verdict that counts at once, or is one of the votes that its step needs.
 * @throws SluiceError VERDICT_NOT_ALLOWED, INVALID_INPUT
 */
export function decide(state: EscalationState, verdict: Verdict, context: LadderContext): Transitioned {
  if (verdict.agent === ENGINE) return decided(state, verdict);
  const left = verdictsLeft(state, context);
  if (!left.includes(verdict.kind)) {
    const choice = left.length > 0 ? `choose one of ${left.join(', ')}` : 'none is left at this step; escalate it';
    const message = `${verdict.kind} cannot be chosen here: ${choice}.`;
    throw new SluiceError('VERDICT_NOT_ALLOWED', message, { path: ['kind'] });
  }
  if ((verdict.kind === 'PATCH_SPEC') !== (verdict.patch !== null)) {
    throw new SluiceError('INVALID_INPUT', 'PATCH_SPEC takes a patch, and nothing else does.', { path: ['patch'] });
  }
  const votes = [...withoutVote(state, verdict.agent), { agent: verdict.agent, kind: verdict.kind }];
  const same = votes.filter(({ kind }) => kind === verdict.kind).length;
  if (same >= quorum(state, context)) return decided({ ...state, votes }, verdict);
  // A claim would keep the others from voting.
  const status = state.status === 'CLAIMED' ? 'ACKNOWLEDGED' : state.status;
  return { state: { ...state, status, votes }, effects: [] };
}

/** PAUSE_TARGET leaves the job held: somebody still has to decide about it. */
export function applied(state: EscalationState): Transitioned {
  const status = state.verdict?.kind === 'PAUSE_TARGET' ? 'HELD' : 'RESOLVED';
  return { state: { ...state, status, holder: null, dueAt: null, votes: [] }, effects: [] };
}

/** The same agents are asked again while a verdict is left to them. */
export function failed(state: EscalationState, at: Date, context: LadderContext): Transitioned {
  if (!state.verdict) return { state, effects: [] };
  const key = failureKey(state.step, state.verdict.kind);
  const failures = { ...state.failures, [key]: (state.failures[key] ?? 0) + 1 };
  const counted = { ...state, failures, verdict: null, votes: [] };
  if (verdictsLeft(counted, context).length === 0) return climb(counted, at, at, context);
  return askAgain({ ...counted, round: state.round + 1 }, at, at, context);
}

/**
 * Up at once when nobody is left who could decide.
 * @throws SluiceError NOT_ASKED
 */
export function decline(state: EscalationState, agent: string, at: Date, context: LadderContext): Transitioned {
  if (!state.asked.includes(agent)) throw new SluiceError('NOT_ASKED', `${agent} is not asked, and cannot decline.`);
  if (state.declined.includes(agent)) return { state, effects: [] };
  const declined = [...state.declined, agent];
  const votes = withoutVote(state, agent);
  const after = { ...state, declined, votes };
  const remaining = state.asked.filter((one) => !declined.includes(one));
  const voters = new Set([...remaining, ...votes.map((vote) => vote.agent)]);
  if (remaining.length === 0 || voters.size < quorum(state, context)) return climb(after, at, at, context);
  if (state.holder !== agent) return { state: after, effects: [] };
  // Whoever was on it is not any more: the others have been asked already, and get the step's wait.
  const dueAt = dueAfter(state.step, at, at, context);
  return { state: { ...after, status: 'ASKING', holder: null, dueAt }, effects: [] };
}

const decided = (state: EscalationState, verdict: Verdict): Transitioned => ({
  state: { ...state, status: 'DECIDED', dueAt: null, verdict },
  effects: [{ kind: 'APPLY', verdict }],
});

const withoutVote = ({ votes }: EscalationState, agent: string) => votes.filter((vote) => vote.agent !== agent);

/** Not more than the step can ask of this owner: with two roles in one hand, one agent decides. */
const quorum = ({ step }: EscalationState, context: LadderContext): number =>
  Math.min(stepAt(context, step).quorum, Math.max(askedAt(step, context).length, 1));
