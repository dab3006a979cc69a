import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { buildSchema, GraphQLError } from 'graphql';
import { CloseCode } from 'graphql-ws';
import { useServer } from 'graphql-ws/use/ws';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { createApiClient } from '../../../src/cli/api-client.js';
import { ClientFailure, EXIT } from '../../../src/cli/client-failure.js';
import type { JobEvent } from '../../../src/cli/operations.js';
import { watchJob } from '../../../src/cli/watch-job.js';
import type { Clock } from '../../../src/core/clock.js';
import { anEvent } from './job-events.js';

const JOB = '0192aaaa-0000-7000-8000-000000000001';
const TOKEN = 'Bearer a-token-of-this-test';

// What `WATCH` asks for, in the types of the gateway's schema.
const schema = buildSchema(`
  scalar Long
  scalar JSON
  type Progress {
    rowsRead: Long rowsLoaded: Long rowsFiltered: Long rowsDeduplicated: Long rowsQuarantined: Long rowsReshaped: Long
    totalRows: Long chunksDone: Int chunksTotal: Int rowsPerSecond: Float etaSeconds: Float stageProgress: Float
  }
  type Failure { code: String class: String message: String path: [String!] details: JSON }
  type JobEvent {
    seq: Long at: String kind: String state: String stage: String progress: Progress message: String error: Failure
  }
  type Query { nothing: Int }
  type Subscription { jobEvents(jobId: ID!, afterSeq: Long): JobEvent }`);

/** What the gateway does on one connection: sends events, then ends the stream, or breaks the connection. */
interface Act {
  readonly events?: readonly JobEvent[];
  readonly end: 'complete' | 'break' | 'restart' | GraphQLError;
}

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A gateway that plays one act a connection, and remembers with which cursor it was asked. */
async function aGateway(acts: readonly Act[]) {
  const cursors: unknown[] = [];
  const sockets = new Set<Socket>();
  const http = createServer().listen(0, '127.0.0.1');
  servers.push(http);
  http.on('connection', (socket) => sockets.add(socket));
  await new Promise((resolve) => http.once('listening', resolve));
  const webSockets = new WebSocketServer({ server: http, path: '/graphql' });
  async function* play(act: Act | undefined) {
    for (const jobEvents of act?.events ?? []) yield { jobEvents };
    if (act?.end instanceof GraphQLError) throw act.end;
    if (act?.end === 'break') for (const socket of sockets) socket.destroy();
    if (act?.end === 'restart') for (const socket of webSockets.clients) socket.close(1012, 'Service restart');
    if (act?.end === 'break' || act?.end === 'restart') await new Promise(() => {});
  }
  useServer(
    {
      schema,
      onConnect: ({ connectionParams }) => connectionParams?.authorization === TOKEN,
      subscribe: async ({ variableValues, document, contextValue }) => {
        cursors.push(variableValues?.afterSeq);
        const { subscribe } = await import('graphql');
        const act = acts[cursors.length - 1];
        const rootValue = { jobEvents: () => play(act) };
        return subscribe({ schema, document, rootValue, contextValue, variableValues });
      },
    },
    webSockets,
  );
  // It listens on TCP, so that the address is no pipe's name.
  const { port } = http.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, cursors, close: () => http.close() };
}

/** Waits that are over at once. */
const hasty: Clock = {
  now: () => new Date(0),
  monotonicMs: () => 0,
  after: (_ms, run) => {
    const handle = setTimeout(run, 1);
    return { cancel: () => clearTimeout(handle) };
  },
  every: () => ({ cancel: () => {} }),
};

function watching(url: string, afterSeq: number | null, token = TOKEN.slice(7), signal = new AbortController().signal) {
  return watchJob({ api: createApiClient({ url, token }), url, clock: hasty, jobId: JOB, afterSeq, signal });
}

async function seqsOf(events: AsyncIterable<JobEvent>): Promise<string[]> {
  const seen: string[] = [];
  for await (const { kind, seq } of events) seen.push(`${kind} ${seq}`);
  return seen;
}

const chunk = (seq: number) => anEvent({ seq, kind: 'CHUNK' });
const ended = (seq: number) => anEvent({ seq, state: 'SUCCEEDED' });
const snapshot = (seq: number) => anEvent({ seq, kind: 'SNAPSHOT' });

describe('watching a job', () => {
  it('goes on behind the last stored event after the connection broke, without gap or repeat', async () => {
    const gateway = await aGateway([
      { events: [snapshot(0), anEvent({ seq: 1 }), chunk(2), anEvent({ seq: 2, kind: 'PROGRESS' })], end: 'break' },
      { end: 'break' },
      { events: [snapshot(2), chunk(2), chunk(3), ended(4)], end: 'complete' },
    ]);
    expect(await seqsOf(watching(gateway.url, 0))).toEqual([
      'SNAPSHOT 0',
      'STATE 1',
      'CHUNK 2',
      'PROGRESS 2',
      'SNAPSHOT 2',
      'CHUNK 3',
      'STATE 4',
    ]);
    expect(gateway.cursors).toEqual([0, 2, 2]);
  });

  it('goes on after a service restart, be it before the first event', async () => {
    const gateway = await aGateway([
      { end: 'restart' },
      { events: [snapshot(3), chunk(4)], end: 'restart' },
      { events: [ended(5)], end: 'complete' },
    ]);
    expect(await seqsOf(watching(gateway.url, 3))).toEqual(['SNAPSHOT 3', 'CHUNK 4', 'STATE 5']);
    expect(gateway.cursors).toEqual([3, 3, 4]);
  });

  it('goes on when a gateway that stops ends the stream before the job', async () => {
    const gateway = await aGateway([
      { events: [snapshot(7), chunk(8)], end: 'complete' },
      { events: [ended(9)], end: 'complete' },
    ]);
    expect(await seqsOf(watching(gateway.url, null))).toEqual(['SNAPSHOT 7', 'CHUNK 8', 'STATE 9']);
    expect(gateway.cursors).toEqual([null, 8]);
  });

  it('resumes behind the snapshot when it asked for nothing older', async () => {
    const gateway = await aGateway([
      { events: [snapshot(7)], end: 'break' },
      { events: [ended(8)], end: 'complete' },
    ]);
    await seqsOf(watching(gateway.url, null));
    expect(gateway.cursors).toEqual([null, 7]);
  });

  it('that has ended is one snapshot', async () => {
    const gateway = await aGateway([
      { events: [anEvent({ seq: 5, kind: 'SNAPSHOT', state: 'FAILED' })], end: 'complete' },
    ]);
    expect(await seqsOf(watching(gateway.url, null))).toEqual(['SNAPSHOT 5']);
  });

  it('ends quietly when the user leaves', async () => {
    const gateway = await aGateway([{ events: [snapshot(1)], end: 'break' }]);
    const leave = new AbortController();
    const seen: number[] = [];
    for await (const event of watching(gateway.url, 0, undefined, leave.signal)) {
      seen.push(event.seq);
      leave.abort();
    }
    expect(seen).toEqual([1]);
  });

  it('fails at once when no gateway was ever there', async () => {
    const gateway = await aGateway([]);
    gateway.close();
    await expect(seqsOf(watching(gateway.url, 0))).rejects.toMatchObject({ exitCode: EXIT.unreachable });
  });

  it('fails in the end when the gateway stays away', async () => {
    const gateway = await aGateway([{ events: [snapshot(1)], end: 'break' }]);
    const work = async () => {
      for await (const _ of watching(gateway.url, 0)) gateway.close();
    };
    await expect(work()).rejects.toThrow(/No gateway answers/);
  });

  it('fails for a wrong token', async () => {
    const gateway = await aGateway([]);
    const failure = await seqsOf(watching(gateway.url, 0, 'wrong')).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ClientFailure);
    expect(failure).toMatchObject({ exitCode: EXIT.unreachable, message: expect.stringContaining('--token') });
    expect(CloseCode.Forbidden).toBe(4403);
  });

  it('fails with what the gateway says, e.g. of an unknown job', async () => {
    const error = new GraphQLError('There is no such job.', { extensions: { code: 'JOB_NOT_FOUND' } });
    const gateway = await aGateway([{ end: error }]);
    await expect(seqsOf(watching(gateway.url, 0))).rejects.toMatchObject({ exitCode: EXIT.failed });
  });
});
