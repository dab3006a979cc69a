import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, createClient } from 'graphql-ws';
import { afterAll } from 'vitest';
import { WebSocket } from 'ws';
import { systemClock } from '../../src/core/clock.js';
import type { Log } from '../../src/core/log.js';
import type { GatewayDeps } from '../../src/gateway/deps.js';
import { type Gateway, startGateway } from '../../src/gateway/server.js';
import { stubDeadLetters } from './stub-dead-letters.js';
import { stubEscalations } from './stub-escalations.js';
import { silentWatcher, stubJobs } from './stub-jobs.js';
import { stubQuarantine } from './stub-quarantine.js';
import { stubQueues, stubSteering } from './stub-steering.js';

export const TOKEN = 'a-token-of-the-tests-0123456789';

/** Keeps what is logged, so that a test can look for a reference id. */
export function recordingLog(): Log & { readonly lines: { facts: object; message: string }[] } {
  const lines: { facts: object; message: string }[] = [];
  const note = (facts: object, message: string) => void lines.push({ facts, message });
  const log = { lines, debug: note, info: note, warn: note, error: note, child: () => log };
  return log;
}

export interface Answer {
  readonly status: number;
  readonly code?: string;
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly errors?: readonly { readonly message: string; readonly extensions?: Readonly<Record<string, unknown>> }[];
}

/** The JSON of a response; tests look at it field by field. */
export async function answerOf(response: Response): Promise<Answer> {
  // Whatever it is, a test that finds no such field fails by that.
  const body = (await response.json()) as Omit<Answer, 'status'>;
  return { ...body, status: response.status };
}

export interface TestGateway extends Gateway {
  readonly uploadsDir: string;
  /** A query or mutation over HTTP; the body is sent as it is when it is a string. */
  ask(query: string, variables?: object): Promise<Answer>;
  post(body: string, headers?: Record<string, string>): Promise<Response>;
  /** A client of graphql-ws; disposed after the file. */
  socketClient(options?: { token?: string; headers?: Record<string, string> }): Client;
  readonly socketUrl: string;
}

/** A gateway on a free port with stubs for what is not given; stopped after the test file. */
export async function testGateway(deps: Partial<GatewayDeps> = {}): Promise<TestGateway> {
  const uploadsDir = await mkdtemp(join(tmpdir(), 'sluice-uploads-'));
  const gateway = await startGateway({
    config: { host: '127.0.0.1', port: 0, allowedOrigins: [] },
    log: recordingLog(),
    clock: systemClock,
    jobs: stubJobs(),
    steering: stubSteering(),
    quarantine: stubQuarantine(),
    queues: stubQueues(),
    deadLetters: stubDeadLetters(),
    watcher: silentWatcher(),
    escalations: stubEscalations(),
    health: async () => ({ database: true, queue: true, bus: true }),
    adminToken: TOKEN,
    uploadsDir,
    ...deps,
  });
  const clients: Client[] = [];
  afterAll(async () => {
    for (const client of clients) void client.dispose();
    await gateway.stop();
    await rm(uploadsDir, { recursive: true, force: true });
  });
  const post = (body: string, headers: Record<string, string> = {}) =>
    fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}`, ...headers },
      body,
    });
  const socketUrl = `${gateway.url.replace('http', 'ws')}/graphql`;
  return {
    ...gateway,
    uploadsDir,
    socketUrl,
    post,
    async ask(query, variables) {
      return answerOf(await post(JSON.stringify({ query, variables })));
    },
    socketClient({ token = TOKEN, headers = {} } = {}) {
      class WithHeaders extends WebSocket {
        constructor(url: string, protocols: string[]) {
          super(url, protocols, { headers });
        }
      }
      const client = createClient({
        url: socketUrl,
        webSocketImpl: WithHeaders,
        connectionParams: { authorization: `Bearer ${token}` },
        retryAttempts: 0,
        lazy: true,
      });
      clients.push(client);
      return client;
    },
  };
}
