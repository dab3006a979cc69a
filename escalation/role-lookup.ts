import type { RoleLookup } from './ladder.js';
import type { Agent, OrgChart } from './org-chart.js';
import type { Role } from './policy.js';

/**
 * Who stands in a role for an owner, found in the org chart. Nobody is asked about their own failure: from a domain, a
 * chief or an expert the way leads up. Only these find nobody: PEER for who has none, and every role for the CEO, above
 * whom nobody is.
 */
export function roleLookup(chart: OrgChart): RoleLookup {
  return (owner, target) => {
    if ('agent' in target) return chart.agent(target.agent) ? [target.agent] : [];
    return FIND[target.role](chart, owner).filter((agent) => agent !== owner);
  };
}

const FIND: Readonly<Record<Role, (chart: OrgChart, owner: string) => readonly string[]>> = {
  PEER: peers,
  DOMAIN: (chart, owner) => {
    const domain = above(chart, owner).find(({ kind }) => kind === 'domain');
    // A layer without a domain goes to its chief.
    return domain ? [domain.id] : chief(chart, owner);
  },
  CHIEF: chief,
  CEO: ceo,
};

/** The agents named as peers; for a layer without them, the layers that it works with. */
function peers(chart: OrgChart, owner: string): readonly string[] {
  const agent = chart.agent(owner);
  if (agent?.peers && agent.peers.length > 0) return agent.peers;
  if (agent?.kind !== 'layer') return [];
  return (agent.collaborators ?? []).filter((id) => chart.agent(id)?.kind === 'layer');
}

/** The nearest chief above, by way of a domain or an expert if need be; the CEO for who has no chief above. */
function chief(chart: OrgChart, owner: string): readonly string[] {
  for (let level = above(chart, owner); level.length > 0; level = level.flatMap(({ id }) => above(chart, id))) {
    const found = level.find(({ kind }) => kind === 'chief');
    if (found) return [found.id];
  }
  return ceo(chart);
}

function ceo(chart: OrgChart): readonly string[] {
  return chart.agents.filter(({ kind }) => kind === 'ceo').map(({ id }) => id);
}

const above = (chart: OrgChart, id: string): readonly Agent[] =>
  (chart.agent(id)?.reportsTo ?? []).flatMap((one) => chart.agent(one) ?? []);
