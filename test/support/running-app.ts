import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, createClient } from 'graphql-ws';
import { afterEach } from 'vitest';
import { WebSocket } from 'ws';
import { startApp } from '../../src/app.js';
import { loadConfig } from '../../src/config.js';
import { systemClock } from '../../src/core/clock.js';
import { type Answer, answerOf, recordingLog } from './gateway.js';

const TOKEN = 'a-token-of-the-tests-0123456789';

/** The whole program in the process of the test, as a user configures it. */
export interface RunningApp {
  readonly url: string;
  readonly home: string;
  /** What it has logged, one `level`-less line a message. */
  logged(): readonly string[];
  ask(query: string, variables?: object): Promise<Answer>;
  /** Launches a job over ten records that appends to `table`. @returns its id */
  launch(table: string, changes?: object): Promise<string>;
  stateOf(jobId: string): Promise<unknown>;
  ready(): Promise<{ readonly code: number; readonly body: unknown }>;
  /** A client of graphql-ws as it comes, which connects again by itself. */
  socketClient(): Client;
  stop(): Promise<void>;
}

const LAUNCH = `mutation ($input: LaunchEtlJobInput!) {
  launchEtlJob(input: $input) { job { id } userErrors { code message } }
}`;

const inlineJob = (table: string) => ({
  name: table,
  source: { records: { rows: Array.from({ length: 10 }, (_, i) => ({ id: i })) } },
  sink: { postgres: { table, mode: 'APPEND', createTable: true } },
});

/** Starts it with variables of the environment; stopped after the test. */
export async function startTestApp(env: Readonly<Record<string, string>>): Promise<RunningApp> {
  const home = await mkdtemp(join(tmpdir(), 'sluice-app-'));
  const log = recordingLog();
  const config = loadConfig({
    SLUICE_HOME: home,
    SLUICE_DATA_DIRS: home,
    SLUICE_PORT: '0',
    SLUICE_ADMIN_TOKEN: TOKEN,
    SLUICE_ENGINE_THREADS: '1',
    ...env,
  });
  const app = await startApp(config, log, systemClock);
  opened.push(async () => {
    await app.stop();
    await rm(home, { recursive: true, force: true });
  });
  const url = app.url ?? '';
  const ask = async (query: string, variables?: object) =>
    answerOf(
      await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}` },
        body: JSON.stringify({ query, variables }),
      }),
    );
  return {
    url,
    home,
    logged: () => log.lines.map(({ message }) => message),
    ask,
    async launch(table, changes = {}) {
      const { data, errors } = await ask(LAUNCH, { input: { ...inlineJob(table), ...changes } });
      // The mutation asks for exactly these fields.
      const launched = data?.launchEtlJob as { job: { id: string } | null; userErrors: readonly unknown[] } | undefined;
      if (!launched?.job) throw new Error(`not launched: ${JSON.stringify(errors ?? launched)}`);
      return launched.job.id;
    },
    async stateOf(id) {
      const { data } = await ask('query ($id: ID!) { job(id: $id) { state } }', { id });
      return (data?.job as { state: string } | undefined)?.state;
    },
    async ready() {
      const response = await fetch(`${url}/health/ready`);
      return { code: response.status, body: await response.json() };
    },
    socketClient() {
      const client = createClient({
        url: `${url.replace('http', 'ws')}/graphql`,
        webSocketImpl: WebSocket,
        connectionParams: { authorization: `Bearer ${TOKEN}` },
      });
      opened.push(async () => client.dispose());
      return client;
    },
    stop: app.stop,
  };
}

const opened: (() => unknown)[] = [];

/** To be called at the top of a test file: stops what its tests have started, the last first. */
export function stopAppsAfterEach(): void {
  afterEach(async () => {
    for (const stop of opened.splice(0).reverse()) await stop();
  });
}
