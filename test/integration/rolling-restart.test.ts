import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, expect, inject, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { eventually } from '../support/eventually.js';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.js';
import { aRuntime, type Runtime } from '../support/runtime.js';
import { startWorkerProcess, type WorkerProcess } from '../support/worker-process.js';

// Processes take their time to start on a busy machine.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 60_000 });
const LONG_MS = 90_000;

const ROWS = 30_000;
const TABLES = ['first', 'second', 'third'];
let runtime: Runtime;
let home: string;
beforeAll(async () => {
  runtime = await aRuntime();
  home = await mkdtemp(join(tmpdir(), 'sluice-rolling-'));
  const lines = Array.from({ length: ROWS }, (_, i) => `${i},name ${i}`);
  await writeFile(join(home, 'rows.csv'), `id,name\n${lines.join('\n')}\n`);
  for (const table of TABLES) await runtime.pool.query(`create table ${table} (id bigint, name text)`);
  // Every part takes a while to commit, so that there is work in hand whenever a process is told to stop.
  await runtime.pool.query(`create table pace (seconds float8); insert into pace values (0.3);
    create function linger() returns trigger language plpgsql as
      'begin perform pg_sleep((select seconds from public.pace)); return new; end';
    create trigger linger before update on sluice.chunk for each row when (new.state = 'LOADED')
      execute function linger()`);
});
afterAll(() => rm(home, { recursive: true, force: true }));

const env = () => ({ DATABASE_URL: runtime.url, SLUICE_HOME: home, SLUICE_DATA_DIRS: home, SLUICE_LOG_LEVEL: 'warn' });
const aWorker = () => startWorkerProcess(env());
const aGateway = () =>
  startGatewayProcess({ entry: [inject('sluiceMain')], env: { ...env(), SLUICE_ROLES: 'gateway' } });

async function stopped({ child, output }: WorkerProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  expect((await exited)[0], output()).toBe(0);
}

const LAUNCH = `mutation ($input: LaunchEtlJobInput!) {
  launchEtlJob(input: $input) { job { id } userErrors { message } }
}`;

async function launch({ url, token }: GatewayProcess, table: string): Promise<string> {
  const input = {
    name: table,
    source: { csv: { uri: 'file:rows.csv' } },
    steps: [{ cast: { columns: [{ name: 'id', type: 'BIGINT' }] } }],
    sink: { postgres: { table, mode: 'APPEND' } },
    options: { chunkRows: 250 },
  };
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query: LAUNCH, variables: { input } }),
  });
  // The mutation asks for exactly these fields.
  const { data } = (await response.json()) as { data: { launchEtlJob: { job: { id: string } | null } } };
  if (data.launchEtlJob.job === null) throw new Error(`not launched: ${JSON.stringify(data)}`);
  return data.launchEtlJob.job.id;
}

/** Follows a job on whatever gateway is there, behind the last event that it has seen, until its last one. */
async function follow(jobId: string, gatewayNow: () => GatewayProcess) {
  const seqs: number[] = [];
  const changes: number[] = [];
  const closeCodes: number[] = [];
  let state = '';
  while (state !== 'SUCCEEDED') {
    const { url, token } = gatewayNow();
    const client = createClient({
      url: `${url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${token}` },
      retryAttempts: 0,
      on: { closed: (event) => closeCodes.push((event as { code: number }).code) },
    });
    const query =
      'subscription ($id: ID!, $after: Long) { jobEvents(jobId: $id, afterSeq: $after) { seq kind state } }';
    const variables = { id: jobId, after: seqs.at(-1) ?? 0 };
    const events = client.iterate<{ jobEvents: { seq: number; kind: string; state: string } }>({ query, variables });
    try {
      for await (const { data } of events) {
        if (!data || !['STATE', 'STAGE', 'CHUNK'].includes(data.jobEvents.kind)) continue;
        seqs.push(data.jobEvents.seq);
        if (data.jobEvents.kind !== 'CHUNK') changes.push(data.jobEvents.seq);
        state = data.jobEvents.state;
      }
    } catch {
      // The gateway has gone; another one is there.
    }
    await client.dispose();
  }
  return { seqs, changes, closeCodes };
}

it('two gateways and two workers restarted under load lose no event, no row and no attempt', async () => {
  const [gateway, standby, one, two] = await Promise.all([aGateway(), aGateway(), aWorker(), aWorker()]);
  let current = gateway;
  const ids = await Promise.all(TABLES.map((table) => launch(gateway, table)));
  const followers = ids.map((id) => follow(id, () => current));
  const chunksDone = async () =>
    Promise.all(ids.map(async (id) => (await runtime.job(id)).progress.chunksDone)).then((done) => Math.max(...done));
  await eventually(async () => (await chunksDone()) > 1, LONG_MS);

  const [starting, second] = [aGateway(), aWorker()];
  const [, three] = await Promise.all([stopped(one), aWorker()]);
  const [, four] = await Promise.all([stopped(two), second]);
  current = standby;
  expect(await gateway.stop()).toBe(0);
  current = await starting;
  expect(await standby.stop()).toBe(0);
  expect((await Promise.all(ids.map((id) => runtime.job(id)))).map(({ state }) => state)).toContain('RUNNING');
  await runtime.pool.query('update pace set seconds = 0');

  const seen = await Promise.all(followers);
  for (const [i, id] of ids.entries()) {
    const job = await runtime.job(id);
    expect(job).toMatchObject({ state: 'SUCCEEDED', attempt: 1, progress: { rowsLoaded: ROWS } });
    // Parts that are loaded quickly one after the other are told together; changes of the job never are.
    const changes = (await runtime.events(id)).flatMap(({ kind, seq }) => (kind === 'CHUNK' ? [] : [seq]));
    expect(seen[i]?.changes).toEqual(changes);
    expect(seen[i]?.seqs).toEqual([...new Set(seen[i]?.seqs)].sort((a, b) => a - b));
    expect(seen[i]?.seqs.at(-1)).toBe(job.lastSeq);
    // Every time the gateway went away it said so; the last one is closed by the client.
    expect(new Set(seen[i]?.closeCodes.slice(0, -1))).toEqual(new Set([1012]));
  }
  expect(Math.max(...seen.map(({ closeCodes }) => closeCodes.length))).toBe(3);
  for (const table of TABLES)
    expect(await runtime.column(`select array[count(*), count(distinct id)]::int[] from ${table}`)).toEqual([
      [ROWS, ROWS],
    ]);

  // The second signal does not wait for what is in hand.
  await runtime.pool.query('update pace set seconds = 60');
  const last = await launch(current, 'first');
  await eventually(async () => (await runtime.job(last)).stage === 'LOADING', LONG_MS);
  const { worker } = (
    await runtime.pool.query<{ worker: string }>('select worker from sluice.job where id = $1', [last])
  ).rows[0] ?? { worker: '' };
  const busy = [three, four].find(({ pid }) => worker.includes(`:${pid}:`)) ?? three;
  const exited = once(busy.child, 'exit');
  busy.child.kill('SIGTERM');
  await eventually(async () => (await runtime.column('select id from sluice.worker')).length === 1);
  busy.child.kill('SIGINT');
  expect((await exited)[0]).toBe(1);
  expect(busy.output()).toContain('A second SIGINT: Sluice ends at once.');
  await Promise.all([three.kill(), four.kill(), current.stop()]);
});
