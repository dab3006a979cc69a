import type { Effect, EscalationState } from './escalation.js';

/** One line for people: what an event of a simulation has led to. */
export function describeEvent(
  kind: string,
  actors: readonly string[],
  state: EscalationState,
  effects: readonly Effect[],
): string {
  const what = actors.length > 0 ? `${actors.join(', ')}: ${kind.toLowerCase()}.` : (BY_ITSELF[kind] ?? `${kind}.`);
  const outcome = effects.flatMap((effect) => describeEffect(effect));
  if (outcome.length === 0 && state.status === 'SNOOZED') outcome.push('Nobody is asked during maintenance.');
  if (outcome.length === 0 && state.status === 'ASKING' && kind === 'DUE') outcome.push('There is nobody to ask.');
  return [what, ...outcome].join(' ');
}

const BY_ITSELF: Readonly<Record<string, string>> = {
  OPEN: 'The failure.',
  DUE: 'The wait is over.',
  APPLIED: 'The verdict has acted on the job.',
};

function describeEffect(effect: Effect): readonly string[] {
  if (effect.kind === 'NOTIFY') {
    const agents = effect.agents.join(', ');
    return [effect.purpose === 'ASK' ? `Asks ${agents}.` : `Tells ${agents}.`];
  }
  if (effect.kind === 'APPLY') return [`${effect.verdict.kind} is carried out.`];
  return [effect.action === 'HOLD' ? 'Nobody is left; the job stays held.' : `Nobody is left; ${effect.action}.`];
}
