import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, inject, it, vi } from 'vitest';
import { freshDatabase } from '../support/database.js';
import { startGatewayProcess } from '../support/gateway-process.js';
import { runCli } from './run-cli.js';

// Every test starts a process of its own, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const folder = await mkdtemp(join(tmpdir(), 'sluice-org-chart-'));
afterAll(() => rm(folder, { recursive: true, force: true }));

const boss = { id: 'boss', kind: 'ceo', number: 0, name: 'Boss', reportsTo: [] };
const head = { id: 'head', kind: 'chief', number: 1, name: 'Head of Data', reportsTo: ['boss'] };
const team = { id: 'team', kind: 'layer', number: 1, name: 'Team', reportsTo: ['head'] };
const chartOf = (...agents: object[]) => JSON.stringify({ agents });

let files = 0;
async function fileOf(text: string | undefined): Promise<string> {
  const file = join(folder, `chart-${++files}.json`);
  if (text !== undefined) await writeFile(file, text);
  return file;
}

it.each([
  ['has a cycle', chartOf(boss, { ...head, reportsTo: ['team'] }, team), 'a cycle: head -> team -> head.'],
  [
    'names nobody',
    chartOf(boss, { ...head, peers: ['ghost'] }, team),
    'peers of head names ghost, who does not exist.',
  ],
  ['has no CEO', chartOf({ ...head, reportsTo: [] }), 'there is no CEO.'],
  ['has two agents of one id', chartOf(boss, head, team, { ...team, name: 'Other' }), 'team stands twice.'],
  ['is no JSON', '{ "agents": [', 'it is no JSON. Unexpected end of JSON input.'],
  ['is other JSON', chartOf(boss, { ...head, kind: 'lord' }), /Invalid option.* at agents\.1\.kind\.$/],
  ['is not there', undefined, 'there is no such file.'],
])('a server whose org chart %s does not start, and says where', async (_what, text, sentence) => {
  const file = await fileOf(text);
  // Nobody listens there: the chart is read before anything is touched.
  const env = { SLUICE_ORG_CHART: file, SLUICE_HOME: folder, DATABASE_URL: 'postgresql://127.0.0.1:1/none' };
  const { code, out, err } = await runCli(['serve'], env);
  expect({ code, out }).toEqual({ code: 1, out: '' });
  const start = `The org chart ${file} cannot be used: `;
  expect(err.slice(0, start.length)).toBe(start);
  const [said, ...more] = err.slice(start.length).split('\n');
  expect(said).toEqual(typeof sentence === 'string' ? sentence : expect.stringMatching(sentence));
  expect(more).toEqual(['']);
});

it('a server with an org chart of its own asks the agents of that one', async () => {
  const { url } = await freshDatabase();
  const file = await fileOf(chartOf(boss, head, team));
  const gateway = await startGatewayProcess({
    entry: [inject('sluiceMain')],
    env: { SLUICE_ORG_CHART: file, SLUICE_HOME: folder, DATABASE_URL: url },
  });
  try {
    const ask = async (query: string): Promise<unknown> => {
      const response = await fetch(`${gateway.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${gateway.token}` },
        body: JSON.stringify({ query }),
      });
      return response.json();
    };
    const open = (owner: string) =>
      ask(`mutation { openEscalation(input: { agent: "team", owner: "${owner}", failureClass: PIPELINE_DECISION,
        pipeline: "mine", message: "Look." }) { escalation { asked { id name } } userErrors { code path } } }`);
    expect(await ask('{ agents { id } }')).toEqual({
      data: { agents: [{ id: 'boss' }, { id: 'head' }, { id: 'team' }] },
    });
    expect(await open('team')).toEqual({
      data: { openEscalation: { escalation: { asked: [{ id: 'head', name: 'Head of Data' }] }, userErrors: [] } },
    });
    expect(await open('layer-12')).toEqual({
      data: { openEscalation: { escalation: null, userErrors: [{ code: 'UNKNOWN_OWNER', path: ['owner'] }] } },
    });
  } finally {
    await gateway.stop();
  }
});
