import type { Agent } from '../escalation/org-chart.js';
import { unknownAgent } from '../escalation/unknown-agent.js';
import type { InputPath } from '../src/core/errors.js';
import type { GraphqlContext } from './context.js';

/** The agents of these ids, without those who are no longer in the org chart. */
export function agentsOf({ escalations }: GraphqlContext, ids: readonly string[]): Agent[] {
  const roster = escalations.agents();
  return ids.flatMap((id) => roster.find((agent) => agent.id === id) ?? []);
}

/** @throws SluiceError UNKNOWN_AGENT */
export function refuseUnknownAgent(context: GraphqlContext, id: string, path: InputPath): void {
  if (agentsOf(context, [id]).length > 0) return;
  throw unknownAgent(id, path);
}
