import { describe, expect, it } from 'vitest';
import { loadOrgChart, parseOrgChart } from '../../../escalation/org-chart.js';

const ceo = { id: 'agent-0', kind: 'ceo', number: 0, name: 'CEO', reportsTo: [] };
const chief = { id: 'chief-1', kind: 'chief', number: 1, name: 'Chief', reportsTo: ['agent-0'] };
const layer = { id: 'layer-1', kind: 'layer', number: 1, name: 'Layer', reportsTo: ['chief-1'] };

describe('the org chart', () => {
  it('knows the 105 agents of the organisation, and the owner that jobs have by default', async () => {
    const chart = await loadOrgChart();
    expect(chart.agents).toHaveLength(105);
    expect(chart.agent('layer-12')).toMatchObject({ name: 'Data Processing', reportsTo: ['chief-2', 'domain-3'] });
    expect(chart.agent('layer-999')).toBeUndefined();
    expect(chart.agent('__proto__')).toBeUndefined();
  });

  it.each([
    ['no CEO', [{ ...chief, reportsTo: ['layer-1'] }, layer], 'there is no CEO'],
    ['two CEOs', [ceo, { ...ceo, id: 'agent-1' }], 'several CEOs: agent-0, agent-1'],
    ['an id that stands twice', [ceo, chief, chief], 'chief-1 stands twice'],
    ['a name that Sluice uses itself', [ceo, { ...chief, id: 'engine' }], 'engine cannot be an agent'],
    [
      'somebody above who does not exist',
      [ceo, { ...chief, reportsTo: ['chief-9'] }],
      'reportsTo of chief-1 names chief-9',
    ],
    ['a peer who does not exist', [ceo, { ...chief, peers: ['x'] }], 'peers of chief-1 names x'],
    ['somebody without a way up', [ceo, { ...chief, reportsTo: [] }], 'chief-1 reports to nobody'],
    ['a cycle', [ceo, { ...chief, reportsTo: ['layer-1'] }, layer], 'a cycle: chief-1 -> layer-1 -> chief-1'],
    ['a kind that is none', [ceo, { ...chief, kind: 'boss' }], 'at agents.1.kind'],
  ])('refuses %s, and names the place', (_what, agents, message) => {
    expect(() => parseOrgChart({ agents })).toThrow(message);
  });

  it('refuses a file that is not there', async () => {
    await expect(loadOrgChart('/nowhere/chart.json')).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});
