import { SluiceError } from '../src/core/errors.js';
import { checkPolicy } from './check-policy.js';
import type { OrgChart } from './org-chart.js';
import { parsePolicy } from './parse-policy.js';
import type { Policy } from './policy.js';
import type { EscalationStore, PolicyStore } from './ports.js';
import type { SimulateInput, Simulation } from './service.js';
import { simulate } from './simulate.js';
import type { RoleLookup } from './transition.js';

export interface TryContext {
  readonly escalations: Pick<EscalationStore, 'now'>;
  readonly policies: PolicyStore;
  readonly chart: OrgChart;
  readonly lookup: RoleLookup;
}

/** A draft that can work. @throws UserErrors POLICY_INVALID, UNKNOWN_AGENT with paths */
export function checkedPolicy(draft: unknown, chart: OrgChart): Omit<Policy, 'version'> {
  const policy = parsePolicy(draft);
  checkPolicy(policy, chart);
  return policy;
}

/**
 * What would happen if it failed now: windows of maintenance lie in real time.
 * @throws SluiceError UNKNOWN_OWNER, INVALID_INPUT; UserErrors POLICY_INVALID, UNKNOWN_AGENT
 */
export async function tryPolicy(tenant: string, input: SimulateInput, context: TryContext): Promise<Simulation> {
  const { owner, behaviour } = input;
  if (!context.chart.agent(owner)) {
    throw new SluiceError('UNKNOWN_OWNER', `The owner ${owner} is not in the org chart.`, { path: ['owner'] });
  }
  const policy = await policyOf(tenant, input.policy, context);
  return simulate(policy, owner, context.lookup, behaviour, await context.escalations.now());
}

async function policyOf(
  tenant: string,
  policy: SimulateInput['policy'],
  { policies, chart }: TryContext,
): Promise<Policy> {
  if ('draft' in policy) return { ...checkedPolicy(policy.draft, chart), version: 0 };
  const stored = await policies.get(tenant, policy.id);
  if (stored) return stored;
  throw new SluiceError('INVALID_INPUT', `There is no policy ${policy.id}.`, { path: ['policy', 'id'] });
}
