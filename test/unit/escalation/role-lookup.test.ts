import { describe, expect, it } from 'vitest';
import { loadOrgChart, parseOrgChart } from '../../../escalation/org-chart.js';
import { ROLES, type Role } from '../../../escalation/policy.js';
import { roleLookup } from '../../../escalation/role-lookup.js';

const chart = await loadOrgChart();
const lookup = roleLookup(chart);
const find = (owner: string, role: Role) => lookup(owner, { role });
const everyRole = (owner: string) => Object.fromEntries(ROLES.map((role) => [role, find(owner, role)]));

describe('who stands in a role', () => {
  it.each([
    // The default owner, as the rule book has it.
    ['layer-12', ['layer-20'], ['domain-3'], ['chief-2'], ['agent-0']],
    // No peer and no domain: to its chief.
    ['layer-4', [], ['chief-1'], ['chief-1'], ['agent-0']],
    // Its domain belongs to another division than its chief.
    ['layer-14', [], ['domain-1'], ['chief-2'], ['agent-0']],
    ['layer-61', [], ['domain-9'], ['chief-6'], ['agent-0']],
    // Nobody is asked about their own failure: up.
    ['domain-3', [], ['chief-2'], ['chief-2'], ['agent-0']],
    ['domain-9', [], ['chief-6'], ['chief-6'], ['agent-0']],
    ['chief-2', [], ['agent-0'], ['agent-0'], ['agent-0']],
    ['agent-0', [], [], [], []],
    // By way of another expert.
    ['expert-16', [], ['chief-1'], ['chief-1'], ['agent-0']],
    ['operational-64', [], ['domain-8'], ['chief-5'], ['agent-0']],
    ['life-ceo-legal', [], ['domain-7'], ['chief-4'], ['agent-0']],
    // Who is in no chart has only the CEO.
    ['nobody', [], ['agent-0'], ['agent-0'], ['agent-0']],
  ])('of %s', (owner, peer, domain, chief, ceo) => {
    expect(everyRole(owner)).toEqual({ PEER: peer, DOMAIN: domain, CHIEF: chief, CEO: ceo });
  });

  it('is somebody of the chart, and never the owner, for every role but PEER of all 105 agents', () => {
    expect(chart.agents).toHaveLength(105);
    for (const { id, kind } of chart.agents) {
      for (const role of ROLES) {
        const found = find(id, role);
        expect(found, `${role} of ${id}`).not.toContain(id);
        expect(found.every((agent) => chart.agent(agent))).toBe(true);
        if (role !== 'PEER') expect(found, `${role} of ${id}`).toHaveLength(kind === 'ceo' ? 0 : 1);
      }
    }
    // Nobody else has a peer in the roster.
    expect(chart.agents.filter(({ id }) => find(id, 'PEER').length > 0).map(({ id }) => id)).toEqual(['layer-12']);
  });

  it('is of the kind that the role is about, for all owners that have one', () => {
    for (const { id, kind, reportsTo } of chart.agents.filter((agent) => agent.kind === 'layer')) {
      const hasDomain = reportsTo.some((above) => chart.agent(above)?.kind === 'domain');
      expect(find(id, 'DOMAIN').map((agent) => chart.agent(agent)?.kind)).toEqual([hasDomain ? 'domain' : 'chief']);
      expect(
        find(id, 'CHIEF').map((agent) => chart.agent(agent)?.kind),
        kind,
      ).toEqual(['chief']);
      // Divisions are ranges of layers.
      const [chief] = find(id, 'CHIEF').flatMap((agent) => chart.agent(agent) ?? []);
      const [first, last] = chief?.layers ?? [0, 0];
      const { number } = chart.agent(id) ?? {};
      expect(number).toBeGreaterThanOrEqual(first);
      expect(number).toBeLessThanOrEqual(last);
    }
  });

  it('is the layers that a layer works with when it has no peers, and nobody for others', () => {
    const top = { id: 'ceo', kind: 'ceo', number: null, name: 'CEO', reportsTo: [] };
    const one = (id: string, kind: string, rest: object = {}) => ({
      ...{ id, kind, number: null, name: id, reportsTo: ['ceo'] },
      ...rest,
    });
    const small = roleLookup(
      parseOrgChart({
        agents: [
          top,
          one('domain', 'domain', { collaborators: ['a'] }),
          one('a', 'layer', { peers: [], collaborators: ['domain', 'a', 'b'] }),
          one('b', 'layer', { peers: ['domain'], collaborators: ['a'] }),
        ],
      }),
    );
    expect(small('a', { role: 'PEER' })).toEqual(['b']);
    expect(small('b', { role: 'PEER' })).toEqual(['domain']);
    expect(small('domain', { role: 'PEER' })).toEqual([]);
    // A chart without chiefs leads to the CEO.
    expect(small('a', { role: 'CHIEF' })).toEqual(['ceo']);
  });

  it('is by name whoever has that name', () => {
    expect(lookup('layer-12', { agent: 'layer-1' })).toEqual(['layer-1']);
    expect(lookup('layer-12', { agent: 'layer-12' })).toEqual(['layer-12']);
    expect(lookup('layer-12', { agent: 'layer-999' })).toEqual([]);
    expect(lookup('layer-12', { agent: '__proto__' })).toEqual([]);
  });
});
