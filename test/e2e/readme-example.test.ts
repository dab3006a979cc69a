import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { WebSocket } from 'ws';
import { freshDatabase, type TestDatabase } from '../support/database.js';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.js';

let database: TestDatabase;
let gateway: GatewayProcess;
let home: string;

beforeAll(async () => {
  database = await freshDatabase();
  home = await mkdtemp(join(tmpdir(), 'sluice-readme-'));
  gateway = await startGatewayProcess({
    entry: [inject('sluiceMain')],
    env: { DATABASE_URL: database.url, SLUICE_HOME: home, SLUICE_DATA_DIRS: resolve('docs/examples') },
  });
}, 60_000);

afterAll(async () => {
  await gateway?.stop();
  await rm(home, { recursive: true, force: true });
});

interface Launched {
  readonly data: {
    readonly launchEtlJob: {
      readonly job: { readonly id: string; readonly state: string } | null;
      readonly replayed: boolean;
      readonly userErrors: readonly unknown[];
    };
  };
}

interface Event {
  readonly seq: number;
  readonly kind: string;
  readonly state: string;
  readonly progress: Readonly<Record<string, number | null>>;
}

async function post(query: string): Promise<Launched> {
  const response = await fetch(`${gateway.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${gateway.token}` },
    body: JSON.stringify({ query }),
  });
  expect(response.status).toBe(200);
  // The example asks for exactly these fields.
  return (await response.json()) as Launched;
}

async function watch(query: string): Promise<Event[]> {
  const client = createClient({
    url: `${gateway.url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${gateway.token}` },
    retryAttempts: 0,
  });
  const events: Event[] = [];
  for await (const { data, errors } of client.iterate<{ jobEvents: Event }>({ query })) {
    expect(errors).toBeUndefined();
    if (data) events.push(data.jobEvents);
  }
  await client.dispose();
  return events;
}

describe('the example of the README', () => {
  it('stands in the README as it is run here', async () => {
    const readme = await readFile('README.md', 'utf8');
    for (const name of ['launch-orders', 'watch-orders']) {
      expect(readme).toContain((await readFile(`docs/examples/${name}.graphql`, 'utf8')).trimEnd());
    }
  });

  it('loads the orders, watched live over a WebSocket', async () => {
    const mutation = await readFile('docs/examples/launch-orders.graphql', 'utf8');
    const { data } = await post(mutation);
    expect(data.launchEtlJob).toMatchObject({ replayed: false, userErrors: [] });
    const id = data.launchEtlJob.job?.id ?? '';

    const subscription = await readFile('docs/examples/watch-orders.graphql', 'utf8');
    const events = await watch(subscription.replace('"..."', JSON.stringify(id)));
    expect(events[0]?.kind).toBe('SNAPSHOT');
    expect(events.at(-1)).toMatchObject({
      kind: 'STATE',
      state: 'SUCCEEDED',
      progress: { rowsRead: 12, rowsLoaded: 9, rowsQuarantined: 3, rowsFiltered: 0, rowsDeduplicated: 0, totalRows: 9 },
    });
    const stored = events.filter((event) => ['STATE', 'STAGE'].includes(event.kind)).map((event) => event.seq);
    expect(stored).toEqual([...stored].sort((a, b) => a - b));

    const { rows } = await database.pool.query('select quantity, total from public.orders order by id::int');
    expect(rows).toHaveLength(9);
    expect(rows[0]).toEqual({ quantity: 2, total: '39.80' });

    const again = await post(mutation);
    expect(again.data.launchEtlJob).toMatchObject({ replayed: true, job: { id } });
  });
});
