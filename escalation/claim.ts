import { SluiceError } from '../src/core/errors.js';
import type { EscalationState } from './escalation.js';
import type { LadderContext } from './ladder.js';
import { ROLES } from './policy.js';

/** A claim without a length of its own. */
export const DEFAULT_CLAIM_MS = 15 * 60_000;
/** Longer than this nobody may keep the others from deciding without renewing. */
const MAX_CLAIM_MS = 4 * 3_600_000;
const MIN_CLAIM_MS = 1_000;

/** @throws SluiceError INVALID_INPUT */
export function checkedClaim(forMs: number): number {
  if (forMs >= MIN_CLAIM_MS && forMs <= MAX_CLAIM_MS) return forMs;
  throw new SluiceError('INVALID_INPUT', 'A claim lasts from 1 second to 4 hours.', { path: ['for'] });
}

/**
 * Anybody may act, asked or not, unless another holds a claim; those who stand higher above the owner than its holder
 * may act all the same.
 * @throws SluiceError NOT_ASKED
 */
export function refuseOthersClaim(state: EscalationState, agent: string, at: Date, context: LadderContext): void {
  const { holder } = state;
  if (holder === null || holder === agent || !isClaimed(state, at)) return;
  if (rank(agent, context) > rank(holder, context)) return;
  throw new SluiceError('NOT_ASKED', `${holder} holds the claim until ${state.dueAt?.toISOString()}.`);
}

/** @throws SluiceError NOT_ASKED when the agent holds no claim, or held it for too long */
export function refuseWithoutClaim(state: EscalationState, agent: string, at: Date): void {
  if (state.holder === agent && isClaimed(state, at)) return;
  throw new SluiceError('NOT_ASKED', `${agent} holds no claim, or it has run out; claim the escalation again.`);
}

const isClaimed = ({ status, dueAt }: EscalationState, at: Date): boolean =>
  status === 'CLAIMED' && dueAt !== null && at < dueAt;

/** -1 for who stands in no role above the owner. */
const rank = (agent: string, { owner, lookup }: LadderContext): number =>
  ROLES.findLastIndex((role) => lookup(owner, { role }).includes(agent));
