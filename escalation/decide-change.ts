import { newId } from '../src/core/ids.js';
import { ENGINE } from './decision.js';
import type { Escalation, EscalationEvent } from './escalation.js';
import type { Cause, Change } from './ports.js';
import { type LadderContext, type Transitioned, transition } from './transition.js';

/**
 * What an event makes of an escalation, ready to be stored; `next` is the very state of the escalation when nothing
 * has changed. @throws SluiceError as the state table does
 */
export function decideChange(
  escalation: Escalation,
  event: EscalationEvent,
  at: Date,
  cause: Cause,
  context: LadderContext,
): Change {
  const { state, effects } = endDecided(transition(escalation.state, event, at, context), at, context);
  return { escalation, event, next: state, effects, cause };
}

/**
 * An end action that acts on the job is a verdict of the engine, in the same change: nothing can come between the end
 * of the ladder and what follows from it.
 */
export function endDecided(climbed: Transitioned, at: Date, context: LadderContext): Transitioned {
  const end = climbed.effects.find((effect) => effect.kind === 'END');
  if (!end || end.action === 'HOLD') return climbed;
  const verdict = { id: newId(), kind: end.action, agent: ENGINE, patch: null, comment: 'Everybody stayed silent.' };
  const decided = transition(climbed.state, { kind: 'DECIDE', verdict }, at, context);
  return { state: decided.state, effects: [...climbed.effects, ...decided.effects] };
}
