import { SluiceError } from '../src/core/errors.js';
import type { Effect, EscalationState } from './escalation.js';
import { afterMaintenance } from './maintenance.js';
import type { Policy, PolicyStep, Target } from './policy.js';
import type { VerdictKind } from './verdict.js';

/** Who stands behind a target, seen from the owner; ids of agents, none when nobody does. */
export type RoleLookup = (owner: string, target: Target) => readonly string[];

/** What the ladder is climbed with: the same for the whole life of an escalation. */
export interface LadderContext {
  readonly policy: Policy;
  readonly owner: string;
  readonly lookup: RoleLookup;
}

export interface Transitioned {
  /** The very object that went in when nothing has changed. */
  readonly state: EscalationState;
  readonly effects: readonly Effect[];
}

/** A verdict that failed so often at a step cannot be chosen there again. */
const FAILURES_ALLOWED = 2;

export const failureKey = (step: number, kind: VerdictKind): string => `${step}:${kind}`;

/** @throws SluiceError INTERNAL when the state belongs to another policy */
export function stepAt({ policy }: LadderContext, index: number): PolicyStep {
  const step = policy.steps[index];
  if (step) return step;
  throw new SluiceError('INTERNAL', `Policy ${policy.id} has no step ${index}.`);
}

/** What may still be chosen at the step where the escalation stands. */
export const verdictsLeft = (state: EscalationState, context: LadderContext): readonly VerdictKind[] =>
  leftAt(state.step, state, context);

const leftAt = (index: number, { failures }: EscalationState, context: LadderContext): readonly VerdictKind[] =>
  stepAt(context, index).allowedVerdicts.filter((kind) => (failures[failureKey(index, kind)] ?? 0) < FAILURES_ALLOWED);

/** Whom the step asks of this owner, each once. */
export const askedAt = (index: number, context: LadderContext): readonly string[] =>
  resolve(stepAt(context, index).ask, context);

const resolve = (targets: readonly Target[], { owner, lookup }: LadderContext): readonly string[] => [
  ...new Set(targets.flatMap((target) => lookup(owner, target))),
];

/**
 * Up to the next step that has somebody to ask, or waits or holds without; the end action when there is none.
 * @param base what the wait counts from: the due time that has passed, or `at`
 */
export function climb(state: EscalationState, base: Date, at: Date, context: LadderContext): Transitioned {
  const first = following(state, context);
  if (!first) return end(state, context);
  const [next, from] = context.policy.catchUp === 'SKIP_TO_CURRENT' ? current(first, base, at, context) : [first, base];
  return askStep(next, from, at, context);
}

/** Passes over steps whose wait is over already, and never over the last. @returns the place and what its wait counts from */
function current(place: EscalationState, base: Date, at: Date, context: LadderContext): [EscalationState, Date] {
  const over = waited(place.step, base, context);
  if (over > at || holdsAt(place.step, context)) return [place, base];
  const next = following(place, context);
  return next ? current(next, over, at, context) : [place, base];
}

/** Asks whom the step names, tells whom it tells; or stays quiet for as long as maintenance lasts. */
export function askStep(state: EscalationState, base: Date, at: Date, context: LadderContext): Transitioned {
  const asked = askedAt(state.step, context);
  const anew = { ...state, declined: [], holder: null, votes: [], verdict: null };
  const quiet = duringMaintenance({ ...anew, asked: [] }, at, context);
  if (quiet) return quiet;
  const told = resolve(stepAt(context, state.step).tell, context).filter((agent) => !asked.includes(agent));
  const effects = [...notify(state, 'ASK', asked, context), ...notify(state, 'TELL', told, context)];
  if (holdsAt(state.step, context)) return { state: { ...anew, status: 'HELD', asked, dueAt: null }, effects };
  return { state: { ...anew, status: 'ASKING', asked, dueAt: dueAfter(state.step, base, at, context) }, effects };
}

/** Asks those of the state once more; its round must be one in which they were not asked yet. */
export function askAgain(state: EscalationState, base: Date, at: Date, context: LadderContext): Transitioned {
  if (state.asked.length === 0) return askStep(state, base, at, context);
  const anew = { ...state, declined: [], holder: null, verdict: null };
  const quiet = duringMaintenance(anew, at, context);
  if (quiet) return quiet;
  return {
    state: { ...anew, status: 'ASKING', dueAt: dueAfter(state.step, base, at, context) },
    effects: notify(state, 'ASK', state.asked, context),
  };
}

/** The time, moved out of maintenance: due times and leases never end inside it. */
export const quietUntil = (at: Date, { policy }: LadderContext): Date => afterMaintenance(at, policy.maintenance);

/** The place after this one, with one more climb behind the last step; null when the ladder ends. */
function following(state: EscalationState, context: LadderContext): EscalationState | null {
  const { steps, repeat } = context.policy;
  let { step, round, climb: climbed } = state;
  while (steps.length > 0) {
    step += 1;
    if (step >= steps.length) {
      if (climbed >= repeat) return null;
      [step, round, climbed] = [0, round + 1, climbed + 1];
    }
    const isPassed = stepAt(context, step).onEmpty === 'SKIP' && askedAt(step, context).length === 0;
    if (!isPassed && leftAt(step, state, context).length > 0) return { ...state, step, round, climb: climbed };
  }
  return null;
}

/** An end action that has failed as often as a verdict may is not tried again. */
function end(state: EscalationState, context: LadderContext): Transitioned {
  const { steps, endAction } = context.policy;
  const step = Math.max(steps.length - 1, 0);
  const isSpent = endAction !== 'HOLD' && (state.failures[failureKey(step, endAction)] ?? 0) >= FAILURES_ALLOWED;
  return {
    state: { ...state, status: 'HELD', step, holder: null, dueAt: null, votes: [], verdict: null },
    effects: [{ kind: 'END', action: isSpent ? 'HOLD' : endAction }],
  };
}

const holdsAt = (index: number, context: LadderContext): boolean =>
  stepAt(context, index).onEmpty === 'HOLD' && askedAt(index, context).length === 0;

const waited = (index: number, base: Date, context: LadderContext): Date =>
  quietUntil(new Date(base.getTime() + stepAt(context, index).waitMs), context);

/** Counts from `base`, so that nothing drifts; from `at` when that would be over already. */
export function dueAfter(index: number, base: Date, at: Date, context: LadderContext): Date {
  const anchored = waited(index, base, context);
  return anchored > at ? anchored : waited(index, at, context);
}

function duringMaintenance(state: EscalationState, at: Date, context: LadderContext): Transitioned | null {
  const dueAt = quietUntil(at, context);
  return dueAt > at ? { state: { ...state, status: 'SNOOZED', dueAt }, effects: [] } : null;
}

const notify = (
  { round, step }: EscalationState,
  purpose: 'ASK' | 'TELL',
  agents: readonly string[],
  context: LadderContext,
): readonly Effect[] =>
  agents.length === 0
    ? []
    : [{ kind: 'NOTIFY', round, step, agents, channels: stepAt(context, step).channels, purpose }];
