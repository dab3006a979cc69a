import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { freshDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.js';

let gateway: GatewayProcess;
let home: string;
const agents: ChildProcess[] = [];

beforeAll(async () => {
  const { url } = await freshDatabase();
  home = await mkdtemp(join(tmpdir(), 'sluice-demo-agent-'));
  await mkdir(join(home, 'data'));
  await writeFile(join(home, 'data', 'prices.csv'), 'day,price\n03.02.2026,1.5\n04.02.2026,2.5\n');
  gateway = await startGatewayProcess({
    entry: [inject('sluiceMain')],
    env: {
      ...{ DATABASE_URL: url, SLUICE_HOME: home, SLUICE_DATA_DIRS: join(home, 'data') },
      SLUICE_WEBHOOK_ALLOW: '127.0.0.1',
    },
  });
}, 60_000);

afterEach(() => {
  for (const agent of agents.splice(0)) agent.kill('SIGKILL');
});
afterAll(async () => {
  await gateway?.stop();
  await rm(home, { recursive: true, force: true });
});

async function ask<T>(query: string, variables: object = {}): Promise<T> {
  const response = await fetch(`${gateway.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${gateway.token}` },
    body: JSON.stringify({ query, variables }),
  });
  // Each document asks for exactly the fields of its type.
  const { data } = (await response.json()) as { data: T };
  return data;
}

interface Held {
  readonly state: string;
  readonly escalations: readonly {
    readonly status: string;
    readonly asked: readonly { readonly id: string }[];
    readonly log: readonly { readonly kind: string; readonly actor: string }[];
  }[];
}

const jobOf = async (id: string) =>
  (
    await ask<{ job: Held }>(
      'query ($id: ID!) { job(id: $id) { state escalations { status asked { id } log { kind actor } } } }',
      { id },
    )
  ).job;

async function launch(name: string, changes: object = {}): Promise<string> {
  const input = {
    name,
    source: { csv: { uri: 'file:prices.csv' } },
    sink: { postgres: { table: name, mode: 'REPLACE', createTable: true } },
    options: { errorBudget: { percent: 1, minRows: 1 } },
    ...changes,
  };
  const { launchEtlJob } = await ask<{ launchEtlJob: { job: { id: string } } }>(
    'mutation ($input: LaunchEtlJobInput!) { launchEtlJob(input: $input) { job { id } } }',
    { input },
  );
  return launchEtlJob.job.id;
}

const becomes = (id: string, state: string) => eventually(async () => (await jobOf(id)).state === state, 20_000);

/** A job of another pipeline makes `day` a date; the job that fails delivers text. @returns the job that fails */
async function drift(table: string): Promise<string> {
  const sink = { postgres: { table, mode: 'REPLACE', createTable: true } };
  const steps = [{ cast: { columns: [{ name: 'day', type: 'DATE', format: '%d.%m.%Y' }] } }];
  await becomes(await launch(`${table}-rebuilt`, { sink, steps }), 'SUCCEEDED');
  return launch(table);
}

/** Started as the demonstration starts it. */
async function anAgent(): Promise<{ readonly child: ChildProcess; said(): string }> {
  const env = { PATH: process.env.PATH, AGENT_ID: 'chief-2', GATEWAY_URL: gateway.url, GATEWAY_TOKEN: gateway.token };
  const child = spawn(process.execPath, ['scripts/demo/agent.mjs'], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  agents.push(child);
  let printed = '';
  child.stdout.on('data', (data) => {
    printed += String(data);
  });
  await eventually(() => /^ready$/m.test(printed), 20_000);
  return { child, said: () => printed };
}

/** Whether the webhook of the agent is used. */
async function isReachable(): Promise<boolean | undefined> {
  const { agents: all } = await ask<{ agents: readonly { id: string; contacts: readonly { isEnabled: boolean }[] }[] }>(
    '{ agents { id contacts { isEnabled } } }',
  );
  return all.find(({ id }) => id === 'chief-2')?.contacts[0]?.isEnabled;
}

describe('the agent of the demonstration', { timeout: 60_000 }, () => {
  it('is called, acknowledges, reads the evidence, and decides what lets the job end well', async () => {
    const { said } = await anAgent();
    const jobId = await drift('mended');
    await becomes(jobId, 'SUCCEEDED');
    await eventually(async () => (await jobOf(jobId)).escalations[0]?.status === 'RESOLVED');
    const [escalation] = (await jobOf(jobId)).escalations;
    // The agent may act before its answer to the call is noted.
    const acts = escalation?.log.filter(({ kind }) => kind !== 'DELIVERED');
    expect(acts?.map(({ kind, actor }) => `${kind} ${actor}`)).toEqual([
      'OPEN job',
      'ACKNOWLEDGE chief-2',
      'DECIDE chief-2',
      'APPLIED engine',
    ]);
    expect(said()).toContain('day: "03.02.2026" does not fit the type date of the target.');
    expect(said()).toContain('cast day to DATE, format "%d.%m.%Y": of 2 rows in a preview all fit');
  });

  it('hands up what it cannot mend, and the job stays held', async () => {
    const { said } = await anAgent();
    const jobId = await launch('odd', {
      expectations: [{ range: { column: 'price', min: 100 }, severity: 'FAIL' }],
      steps: [{ cast: { columns: [{ name: 'price', type: 'DOUBLE' }] } }],
    });
    await eventually(() => said().includes('hands it up'), 20_000);
    expect(await jobOf(jobId)).toMatchObject({
      state: 'AWAITING_DECISION',
      escalations: [{ status: 'ASKING', asked: [{ id: 'agent-0' }] }],
    });
  });

  it('catches up with what was asked before it was there', async () => {
    const jobId = await drift('before');
    await becomes(jobId, 'AWAITING_DECISION');
    await eventually(async () => (await jobOf(jobId)).escalations.length === 1);
    await anAgent();
    await becomes(jobId, 'SUCCEEDED');
  });

  it.each(['is gone', 'says so'])('ends when whoever started it %s, and is called no more', async (how) => {
    const { child } = await anAgent();
    expect(await isReachable()).toBe(true);
    const ended = once(child, 'exit');
    if (how === 'is gone') child.stdin?.end();
    else child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
    expect(await isReachable()).toBe(false);
  });
});
