import { once } from 'node:events';
import { beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { eventually } from '../support/eventually.js';
import { recordingLog, type TestGateway, TOKEN, testGateway } from '../support/gateway.js';
import { silentWatcher, stubJobs } from '../support/stub-jobs.js';

const log = recordingLog();
const silent = silentWatcher();
let launches = 0;
let gateway: TestGateway;

beforeAll(async () => {
  gateway = await testGateway({
    log,
    config: { host: '127.0.0.1', port: 0, allowedOrigins: ['https://console.example.org'] },
    limits: { connectionInitMs: 50 },
    watcher: {
      ...silent,
      async *watchJob(_caller, jobId) {
        if (jobId === 'broken') throw new TypeError('secret of the inside');
        yield* silent.watchFeed(_caller, {});
      },
    },
    jobs: stubJobs({
      async launchEtl(caller, request) {
        launches += 1;
        return stubJobs().launchEtl(caller, request);
      },
    }),
  });
});

interface Message {
  readonly type: string;
  readonly id?: string;
  readonly payload?: unknown;
}

/** A socket that speaks the protocol by hand. */
class RawSocket {
  readonly messages: Message[] = [];
  closed: { code: number; reason: string } | undefined;

  constructor(readonly socket: WebSocket) {
    socket.on('message', (data) => this.messages.push(JSON.parse(String(data)) as Message));
    socket.on('close', (code, reason) => {
      this.closed = { code, reason: String(reason) };
    });
    socket.on('error', () => {});
  }

  static async open(options: { protocol?: string; headers?: Record<string, string> } = {}): Promise<RawSocket> {
    const { protocol = 'graphql-transport-ws', headers = {} } = options;
    const raw = new RawSocket(new WebSocket(gateway.socketUrl, protocol, { headers }));
    await once(raw.socket, 'open');
    return raw;
  }

  /** Opened and acknowledged. */
  static async ready(payload: object = { authorization: `Bearer ${TOKEN}` }): Promise<RawSocket> {
    const raw = await RawSocket.open();
    raw.send({ type: 'connection_init', payload });
    await eventually(() => raw.messages.some(({ type }) => type === 'connection_ack') || raw.closed !== undefined);
    return raw;
  }

  send(message: object): void {
    this.socket.send(JSON.stringify(message));
  }

  subscribe(id: string, query = 'subscription { jobFeed { seq } }', variables?: object): void {
    this.send({ type: 'subscribe', id, payload: { query, variables } });
  }

  /** The first answer to an operation. */
  async answer(id: string): Promise<Message> {
    await eventually(() => this.messages.some((message) => message.id === id) || this.closed !== undefined);
    return this.messages.find((message) => message.id === id) ?? { type: `closed ${this.closed?.code}` };
  }

  async end(): Promise<{ code: number; reason: string }> {
    await eventually(() => this.closed !== undefined);
    return this.closed ?? { code: 0, reason: '' };
  }
}

const upgradeStatus = async (headers: Record<string, string>, path = '') => {
  const socket = new WebSocket(gateway.socketUrl + path, 'graphql-transport-ws', { headers });
  return new Promise<number>((resolve) => {
    socket.on('open', () => {
      socket.close();
      resolve(101);
    });
    socket.on('unexpected-response', (_request, response) => {
      socket.terminate();
      resolve(response.statusCode ?? 0);
    });
    socket.on('error', () => {});
  });
};

describe('who may connect', () => {
  test.each([
    ['https://evil.example.org', 403],
    ['null', 403],
    ['not a url', 403],
    ['https://console.example.org', 101],
    ['https://console.example.org.evil.org', 403],
  ])('a page of %s gets %d', async (origin, status) => {
    expect(await upgradeStatus({ origin })).toBe(status);
  });

  test('a page of the gateway itself, and a client that is no browser, may', async () => {
    expect(await upgradeStatus({ origin: gateway.url })).toBe(101);
    expect(await upgradeStatus({})).toBe(101);
  });

  test('other paths are not there', async () => {
    expect(await upgradeStatus({}, '/else')).toBe(404);
    expect(await upgradeStatus({}, '?x=1')).toBe(101);
  });

  test.each([
    ['no token', {}],
    ['a wrong one', { authorization: 'Bearer wrong' }],
    ['the wrong scheme', { authorization: `Basic ${TOKEN}` }],
    ['a number', { token: 5 }],
    ['a list', { authorization: [`Bearer ${TOKEN}`] }],
  ])('%s in connection_init closes with 4403', async (_what, payload) => {
    expect((await (await RawSocket.ready(payload)).end()).code).toBe(4403);
  });

  test('the token may come as `token`, or in the header of the upgrade', async () => {
    for (const payload of [{ token: TOKEN }, { Authorization: `bearer ${TOKEN}` }]) {
      const raw = await RawSocket.ready(payload);
      expect(raw.messages[0]?.type).toBe('connection_ack');
      raw.socket.close();
    }
    const raw = await RawSocket.open({ headers: { authorization: `Bearer ${TOKEN}` } });
    raw.send({ type: 'connection_init' });
    await eventually(() => raw.messages.length > 0);
    expect(raw.messages[0]?.type).toBe('connection_ack');
    raw.socket.close();
  });

  test('a socket that says nothing is closed', async () => {
    expect((await (await RawSocket.open()).end()).code).toBe(4408);
  });

  test('an operation before connection_init closes the socket', async () => {
    const raw = await RawSocket.open();
    raw.subscribe('1');
    expect((await raw.end()).code).toBe(4401);
  });

  test('another protocol is refused', async () => {
    const socket = new WebSocket(gateway.socketUrl, 'graphql-ws');
    const [error] = await once(socket, 'error').catch((thrown: unknown) => [thrown]);
    expect(String(error)).toMatch(/subprotocol/i);
  });
});

describe('what may be asked', () => {
  test.each([
    ['a syntax error', 'subscription { jobFeed { ', 'GRAPHQL_PARSE_FAILED'],
    ['an unknown field', 'subscription { jobFeed { nothing } }', 'GRAPHQL_VALIDATION_FAILED'],
    ['a query', '{ viewer { name } }', 'BAD_REQUEST'],
    ['introspection', '{ __schema { types { name } } }', 'BAD_REQUEST'],
    [
      'a mutation',
      'mutation { launchEtlJob(input: { name: "x", source: { records: { rows: [] } }, sink: { ndjson: { uri: "file:x" } } }) { replayed } }',
      'BAD_REQUEST',
    ],
    [
      'two operations',
      'subscription a { jobFeed { seq } } subscription b { jobFeed { seq } }',
      'OPERATION_RESOLUTION_FAILURE',
    ],
    [
      'many aliases',
      `subscription { jobFeed { ${Array.from({ length: 60 }, (_, i) => `a${i}: seq`).join(' ')} } }`,
      'LIMIT_EXCEEDED',
    ],
    ['many tokens', `subscription { jobFeed { ${'seq '.repeat(10_100)} } }`, 'GRAPHQL_PARSE_FAILED'],
  ])('%s answers its operation only, and the socket goes on', async (_what, query, code) => {
    const raw = await RawSocket.ready();
    raw.subscribe('good');
    raw.subscribe('bad', query);
    expect(await raw.answer('bad')).toMatchObject({ type: 'error', payload: [{ extensions: { code } }] });
    raw.send({ type: 'ping' });
    await eventually(() => raw.messages.some(({ type }) => type === 'pong'));
    expect(raw.closed).toBeUndefined();
    expect(launches).toBe(0);
    expect(raw.messages.some(({ id }) => id === 'good')).toBe(false);
    raw.socket.close();
  });

  test('a wrong variable, and an `afterSeq` that is none, are errors of the operation', async () => {
    const raw = await RawSocket.ready();
    const query = 'subscription ($after: Long) { jobEvents(jobId: "x", afterSeq: $after) { seq } }';
    raw.subscribe('text', query, { after: 'x' });
    expect(JSON.stringify((await raw.answer('text')).payload)).toContain('BAD_USER_INPUT');
    raw.subscribe('negative', query, { after: -1 });
    expect(JSON.stringify((await raw.answer('negative')).payload)).toContain('INVALID_INPUT');
    raw.socket.close();
  });

  test('an unknown error is masked, and logged under its reference', async () => {
    const raw = await RawSocket.ready();
    raw.subscribe('1', 'subscription { jobEvents(jobId: "broken") { seq } }');
    const message = await raw.answer('1');
    expect(JSON.stringify(message)).not.toMatch(/secret|TypeError/);
    expect(message).toMatchObject({ payload: [{ extensions: { code: 'INTERNAL', reference: expect.any(String) } }] });
    expect(JSON.stringify(log.lines.map(({ facts }) => facts))).toContain('reference');
    raw.socket.close();
  });

  test('the 51st subscription of a socket is refused, and one is free again when another completes', async () => {
    const raw = await RawSocket.ready();
    for (let i = 1; i <= 51; i += 1) raw.subscribe(String(i));
    expect(await raw.answer('51')).toMatchObject({
      type: 'error',
      payload: [{ extensions: { code: 'LIMIT_EXCEEDED' } }],
    });
    await eventually(() => silent.open() === 50);
    raw.send({ type: 'complete', id: '7' });
    await eventually(() => silent.open() === 49);
    raw.subscribe('52');
    await eventually(() => silent.open() === 50);
    raw.socket.terminate();
    await eventually(() => silent.open() === 0);
  });
});

describe('what a client may take', () => {
  test('a frame beyond 64 KiB closes the socket with 1009', async () => {
    const raw = await RawSocket.ready();
    raw.subscribe('1', `subscription { jobFeed { seq } } # ${'x'.repeat(65 * 1024)}`);
    expect((await raw.end()).code).toBe(1009);
  });

  test.each(['not json', '{}', '{"type":"unknown"}', '[]', 'null'])('the message %s closes with 4400', async (text) => {
    const raw = await RawSocket.ready();
    raw.socket.send(text);
    expect((await raw.end()).code).toBe(4400);
  });

  test('a client that only sends and never reads is ended, and costs a bounded buffer', async () => {
    const raw = await RawSocket.ready();
    raw.socket.pause();
    const payload = { x: 'y'.repeat(60_000) };
    let sent = 0;
    // 64 MB of pings: the pongs fill the buffers of both kernels first, then a megabyte of ours.
    while (sent < 1_100 && raw.socket.readyState === WebSocket.OPEN) {
      raw.send({ type: 'ping', payload });
      sent += 1;
      if (sent % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    // What was terminated says so once the client reads again.
    const gone = eventually(async () => {
      const text = await (
        await fetch(`${gateway.url}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } })
      ).text();
      return text.includes('sluice_ws_connections 0');
    });
    await gone;
    raw.socket.terminate();
  });

  test('a full house refuses the next socket', async () => {
    const small = await testGateway({ limits: { sockets: 1 } });
    const first = new WebSocket(small.socketUrl, 'graphql-transport-ws');
    await once(first, 'open');
    const second = new WebSocket(small.socketUrl, 'graphql-transport-ws');
    second.on('error', () => {});
    const [, response] = await once(second, 'unexpected-response');
    expect(response.statusCode).toBe(503);
    first.terminate();
    second.terminate();
  });

  test('a client that answers no ping is ended', async () => {
    const strict = await testGateway({ limits: { pingMs: 20 } });
    const socket = new WebSocket(strict.socketUrl, 'graphql-transport-ws', { autoPong: false });
    const [code] = await once(socket, 'close');
    expect(code).toBe(1006);
  });
});

test('a gateway that stops closes sockets with 1012, so that clients come back', async () => {
  const stopping = await testGateway();
  const socket = new WebSocket(stopping.socketUrl, 'graphql-transport-ws');
  await once(socket, 'open');
  const closed = once(socket, 'close');
  await stopping.stop();
  expect((await closed)[0]).toBe(1012);
  await expect(fetch(`${stopping.url}/health/live`)).rejects.toThrow();
});

test('a gateway that is about to stop says so, takes no socket, and lets go of connections with their answer', async () => {
  const stopping = await testGateway();
  stopping.announceStop();
  const ready = await fetch(`${stopping.url}/health/ready`);
  expect(ready.status).toBe(503);
  expect(await ready.json()).toMatchObject({ status: 'stopping' });
  expect(ready.headers.get('connection')).toBe('close');
  expect((await fetch(`${stopping.url}/health/live`)).status).toBe(200);
  const late = new WebSocket(stopping.socketUrl, 'graphql-transport-ws');
  late.on('error', () => {});
  const [, response] = await once(late, 'unexpected-response');
  expect(response.statusCode).toBe(503);
  late.terminate();
});

test('subscribers have the events that are there before their socket is closed', async () => {
  let isFlushed = false;
  const flush = async (withinMs: number) => {
    expect(withinMs).toBeGreaterThan(0);
    isFlushed = true;
  };
  const stopping = await testGateway({ watcher: { ...silentWatcher(), flush } });
  const client = stopping.socketClient();
  const closed = new Promise<unknown>((resolve) => client.on('closed', resolve));
  const connected = new Promise<unknown>((resolve) => client.on('connected', resolve));
  const results = client.iterate({ query: 'subscription { jobFeed { seq } }' });
  results.next().catch(() => {});
  await connected;
  await stopping.stop();
  expect(await closed).toMatchObject({ code: 1012 });
  expect(isFlushed).toBe(true);
});
