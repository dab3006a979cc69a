import { expect } from 'vitest';
import type { EscalationEvent } from '../../../escalation/escalation.js';
import type { LadderContext } from '../../../escalation/ladder.js';
import { openState, transition } from '../../../escalation/transition.js';
import { aVerdict, MINUTE, minute } from './a-policy.js';

/** Follows events, given with their minute, from the failure on. */
export function follow(context: LadderContext, ...events: readonly (readonly [number, EscalationEvent])[]) {
  let current = openState(context, minute(0));
  for (const [at, event] of events) current = transition(current.state, event, minute(at), context);
  return current;
}

export const due: EscalationEvent = { kind: 'DUE' };
export const acknowledge = (agent: string): EscalationEvent => ({ kind: 'ACKNOWLEDGE', agent });
export const claim = (agent: string, minutes = 15): EscalationEvent => ({
  kind: 'CLAIM',
  agent,
  forMs: minutes * MINUTE,
});
export const decline = (agent: string): EscalationEvent => ({ kind: 'DECLINE', agent });
export const decide = (...verdict: Parameters<typeof aVerdict>): EscalationEvent => ({
  kind: 'DECIDE',
  verdict: aVerdict(...verdict),
});
export const failed: EscalationEvent = { kind: 'FAILED', reason: 'the job refuses' };
export const applied: EscalationEvent = { kind: 'APPLIED' };
export const resolve: EscalationEvent = { kind: 'RESOLVE', agent: 'chief' };
export const toEnd = [
  [30, due],
  [90, due],
  [210, due],
] as const;

export const asks = (agents: readonly string[], step: number, round = 0) => ({
  kind: 'NOTIFY',
  purpose: 'ASK',
  channels: ['FEED'],
  agents,
  step,
  round,
});
export const refusal = (code: string) => expect.objectContaining({ name: 'SluiceError', code });
