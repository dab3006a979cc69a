import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { serverAudits } from 'graphql-http';
import { beforeAll, describe, expect, test } from 'vitest';
import { SluiceError, UserErrors } from '../../src/core/errors.js';
import type { LaunchRequest } from '../../src/jobs/job-service.js';
import { answerOf, recordingLog, type TestGateway, TOKEN, testGateway } from '../support/gateway.js';
import { stubJobs } from '../support/stub-jobs.js';

const log = recordingLog();
const launched: LaunchRequest[] = [];
let health = { database: true, queue: true, bus: true };
let gateway: TestGateway;

beforeAll(async () => {
  gateway = await testGateway({
    log,
    health: async () => health,
    limits: { uploadBytes: 100_000 },
    jobs: stubJobs({
      async launchEtl(_caller, request) {
        launched.push(request);
        if (request.name === 'mistaken')
          throw new UserErrors([
            new SluiceError('EXACTLY_ONE_MEMBER', 'Set exactly one.', { path: ['source'] }),
            new SluiceError('UNKNOWN_COLUMN', 'No such column.', { path: ['steps', 0, 'drop', 'columns', 1] }),
          ]);
        if (request.name === 'broken') throw new TypeError('secret of the inside');
        if (request.name === 'down') throw new SluiceError('DATABASE_UNREACHABLE', 'PostgreSQL does not answer.');
        return stubJobs().launchEtl(_caller, request);
      },
    }),
  });
});

const LAUNCH = `mutation ($input: LaunchEtlJobInput!) {
  launchEtlJob(input: $input) { job { id state } replayed userErrors { code message path } }
}`;
const launch = (name: string, source: object = { records: { rows: [{ a: 1 }] } }) =>
  gateway.ask(LAUNCH, { input: { name, source, sink: { ndjson: { uri: 'file:out.ndjson' } } } });

describe('access', () => {
  const paths: [string, string][] = [
    ['POST', '/graphql'],
    ['GET', '/graphql?query=%7Bviewer%7Bname%7D%7D'],
    ['PUT', '/uploads/a.csv'],
    ['GET', '/metrics'],
    ['GET', '/'],
    ['GET', '/nowhere'],
  ];
  test.each(paths)('%s %s needs the token', async (method, path) => {
    for (const authorization of [undefined, 'Bearer wrong', `Basic ${TOKEN}`, `Bearer ${TOKEN}x`, 'Bearer ']) {
      const response = await fetch(gateway.url + path, {
        method,
        headers: { 'content-type': 'application/json', ...(authorization && { authorization }) },
        ...(method === 'GET' ? {} : { body: '{"query":"{viewer{name}}"}' }),
      });
      expect(response.status, String(authorization)).toBe(401);
      expect(response.headers.get('www-authenticate')).toContain('Bearer');
      await response.text();
    }
  });

  test('health is open', async () => {
    for (const path of ['/health/live', '/health/ready']) expect((await fetch(gateway.url + path)).status).toBe(200);
  });

  test('viewer says who asks', async () => {
    expect(await gateway.ask('{ viewer { name tenant } }')).toEqual({
      status: 200,
      data: { viewer: { name: 'admin', tenant: 'default' } },
    });
  });
});

describe('health', () => {
  test.each([
    [{ database: true, queue: true, bus: true }, 200, 'ok'],
    [{ database: true, queue: false, bus: true }, 200, 'degraded'],
    [{ database: true, queue: true, bus: false }, 200, 'degraded'],
    [{ database: false, queue: true, bus: true }, 503, 'unavailable'],
  ])('%o is %d %s', async (state, status, word) => {
    health = state;
    const response = await fetch(`${gateway.url}/health/ready`);
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({
      status: word,
      checks: {
        database: state.database ? 'ok' : 'down',
        queue: state.queue ? 'ok' : 'down',
        bus: state.bus ? 'ok' : 'down',
      },
    });
    health = { database: true, queue: true, bus: true };
  });
});

describe('errors', () => {
  test('the mistakes of a caller are user errors with their paths', async () => {
    const { data } = await launch('mistaken');
    expect(data?.launchEtlJob).toEqual({
      job: null,
      replayed: false,
      userErrors: [
        { code: 'EXACTLY_ONE_MEMBER', message: 'Set exactly one.', path: ['source'] },
        { code: 'UNKNOWN_COLUMN', message: 'No such column.', path: ['steps', '0', 'drop', 'columns', '1'] },
      ],
    });
  });

  test('an unknown error is masked, and logged under the reference that the client gets', async () => {
    const { errors } = await launch('broken');
    expect(JSON.stringify(errors)).not.toMatch(/secret|TypeError|stack|\.ts/);
    expect(errors?.[0]?.extensions?.code).toBe('INTERNAL');
    const reference = errors?.[0]?.extensions?.reference;
    expect(reference).toEqual(expect.any(String));
    const line = log.lines.find(({ facts }) => 'reference' in facts && facts.reference === reference);
    expect(line?.facts).toMatchObject({ err: { message: 'secret of the inside' } });
  });

  test('what is known but not of the caller is an error with its code', async () => {
    const { errors } = await launch('down');
    expect(errors?.[0]).toMatchObject({
      message: 'PostgreSQL does not answer.',
      extensions: { code: 'DATABASE_UNREACHABLE', class: 'TRANSIENT' },
    });
  });

  test.each([
    ['{ viewer { name ', 'GRAPHQL_PARSE_FAILED'],
    ['{ nothing }', 'GRAPHQL_VALIDATION_FAILED'],
    ['query ($f: Int!) { jobs(first: $f) { totalCount } }', 'BAD_USER_INPUT'],
    ['{ jobs(first: 101) { totalCount } }', 'INVALID_INPUT'],
  ])('%s is %s', async (query, code) => {
    const { errors } = await gateway.ask(query);
    expect(errors?.[0]?.extensions?.code).toBe(code);
    expect(JSON.stringify(errors)).not.toContain('stacktrace');
  });
});

describe('limits', () => {
  test.each([
    ['aliases', `{ ${Array.from({ length: 51 }, (_, i) => `a${i}: viewer { name }`).join(' ')} }`],
    ['depth', `{ __type(name: "Job") { ${'ofType { '.repeat(25)} name ${'} '.repeat(25)} } }`],
    [
      'fields',
      `{ ...a } ${Array.from({ length: 12 }, (_, i) => {
        const [name, next] = [String.fromCharCode(97 + i), String.fromCharCode(98 + i)];
        return `fragment ${name} on Query { ...${next} viewer { name } ...${next} }`;
      }).join(' ')} fragment m on Query { viewer { name } }`,
    ],
  ])('too many %s are refused before anything runs', async (what, query) => {
    const { errors, data } = await gateway.ask(query);
    expect(data).toBeUndefined();
    const limits = errors?.filter(({ extensions }) => extensions?.code === 'LIMIT_EXCEEDED');
    expect(limits?.map(({ message }) => message)).toContainEqual(expect.stringContaining(what));
  });

  test('too many tokens are refused', async () => {
    const { errors } = await gateway.ask(`{ ${'viewer { name } '.repeat(4_000)} }`);
    expect(errors?.[0]?.extensions?.code).toBe('GRAPHQL_PARSE_FAILED');
    expect(errors?.[0]?.message).toMatch(/tokens/i);
  });

  test('fragments that hold each other are refused, and nothing hangs', async () => {
    const { errors } = await gateway.ask(
      '{ ...a } fragment a on Query { ...b } fragment b on Query { ...a viewer { name } }',
    );
    expect(errors?.[0]?.extensions?.code).toBe('GRAPHQL_VALIDATION_FAILED');
  });

  test('a body beyond 4 MiB is refused', async () => {
    const response = await gateway.post(JSON.stringify({ query: `# ${'x'.repeat(4 * 1024 ** 2)}` }));
    expect(response.status).toBe(413);
    expect((await answerOf(response)).errors?.[0]?.extensions?.code).toBe('LIMIT_EXCEEDED');
  });

  test('a batch of operations is refused', async () => {
    const response = await gateway.post('[{"query":"{viewer{name}}"},{"query":"{viewer{name}}"}]');
    expect(response.status).toBe(400);
    expect((await answerOf(response)).errors?.[0]?.message).toMatch(/batch/i);
  });

  test('a subscription does not run over HTTP', async () => {
    const { errors, data } = await gateway.ask('subscription { jobFeed { seq } }');
    expect(data ?? null).toBeNull();
    expect(errors).toHaveLength(1);
  });

  test('no request a page can send without a preflight is executed', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
      const response = await gateway.post('{"query":"{viewer{name}}"}', { 'content-type': type });
      expect(response.status, type).toBe(415);
    }
  });
});

describe('exact numbers', () => {
  const lastRecords = () => launched.at(-1)?.pipeline;
  const withRecords = (ndjson: string) => ({ source: { records: { ndjson } } });

  test('9007199254740993 in variables arrives exactly', async () => {
    const body = `{"query":${JSON.stringify(LAUNCH)},"variables":{"input":{"name":"exact","sink":{"ndjson":{"uri":"file:x"}},
      "source":{"records":{"rows":[{"id":9007199254740993,"price":1.00000000000000000001,"n":null,"s":"x"},{"id":1}]}}}}}`;
    expect((await gateway.post(body)).status).toBe(200);
    expect(lastRecords()).toMatchObject(
      withRecords('{"id":9007199254740993,"price":1.00000000000000000001,"n":null,"s":"x"}\n{"id":1}'),
    );
  });

  test('9007199254740993 in a literal arrives exactly', async () => {
    await gateway.ask(`mutation { launchEtlJob(input: {
      name: "literal", source: { records: { rows: [{ id: 9007199254740993, deep: [-9223372036854775808] }] } },
      sink: { ndjson: { uri: "file:x" } }
    }) { replayed } }`);
    expect(lastRecords()).toMatchObject(withRecords('{"id":9007199254740993,"deep":[-9223372036854775808]}'));
  });

  test('members that are null are left out, and a duration becomes milliseconds', async () => {
    await gateway.ask(LAUNCH, {
      input: {
        name: 'plain',
        source: { csv: { uri: 'file:a.csv', delimiter: null }, json: null },
        steps: [{ default: { columns: [{ name: 'a', value: { x: null } }] }, drop: null }],
        sink: { ndjson: { uri: 'file:x' }, csv: null },
        options: { timeout: 'PT30M', priority: 3, errorBudget: { percent: 1, count: null } },
      },
    });
    expect(launched.at(-1)).toMatchObject({ owner: 'layer-12', priority: 3, idempotencyKey: null });
    expect(launched.at(-1)?.pipeline).toStrictEqual({
      source: { csv: { uri: 'file:a.csv' } },
      steps: [{ default: { columns: [{ name: 'a', value: { x: null } }] } }],
      expectations: [],
      sink: { ndjson: { uri: 'file:x' } },
      options: { errorBudget: { percent: 1 }, timeoutMs: 1_800_000 },
    });
  });

  test.each(['{"query": 12345678901234567890', '[1e', '{"a":9007199254740993,"a":9007199254740994}'])(
    'a body that is not JSON is refused: %s',
    async (body) => {
      const response = await gateway.post(body);
      expect(response.status).toBe(400);
      expect((await answerOf(response)).errors?.[0]?.extensions?.code).toBe('BAD_REQUEST');
    },
  );
});

describe('uploads', () => {
  const put = (name: string, body: string | ReadableStream, headers: Record<string, string> = {}) =>
    fetch(`${gateway.url}/uploads/${name}`, {
      method: 'PUT',
      body,
      headers: { authorization: `Bearer ${TOKEN}`, ...headers },
      duplex: 'half',
    } as RequestInit);

  test('a file is stored whole and its URI answered', async () => {
    const response = await put('orders.csv', 'id\n1\n', { 'content-type': 'text/csv' });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      uri: 'upload:orders.csv',
      bytes: 5,
      sha256: createHash('sha256').update('id\n1\n').digest('hex'),
    });
    expect(await readFile(join(gateway.uploadsDir, 'orders.csv'), 'utf8')).toBe('id\n1\n');
    await put('orders.csv', 'id\n2\n');
    expect(await readFile(join(gateway.uploadsDir, 'orders.csv'), 'utf8')).toBe('id\n2\n');
  });

  test.each(['..%2Fescape.csv', '.hidden', '%2e%2e', 'a%2Fb', 'a%5Cb', '-rf', 'x'.repeat(201), 'a%00b', 'caf%C3%A9'])(
    'the name %s is refused',
    async (name) => {
      const response = await put(name, 'x');
      expect([400, 404, 414]).toContain(response.status);
      expect((await readdir(gateway.uploadsDir)).filter((file) => file !== 'orders.csv')).toEqual([]);
    },
  );

  test('an upload beyond the limit is refused, announced or not, and leaves nothing', async () => {
    const announced = await put('big.csv', 'x'.repeat(100_001));
    expect(announced.status).toBe(413);
    expect((await answerOf(announced)).code).toBe('UPLOAD_TOO_LARGE');
    const pieces = Array.from({ length: 11 }, () => new TextEncoder().encode('x'.repeat(10_000)));
    const unannounced = await put('big.csv', ReadableStream.from(pieces) as ReadableStream).catch(() => undefined);
    if (unannounced) expect(unannounced.status).toBe(413);
    expect(await readdir(gateway.uploadsDir)).not.toContain('big.csv');
    expect((await readdir(gateway.uploadsDir)).filter((file) => file.endsWith('.part'))).toEqual([]);
  });

  test('all uploads together are bounded, announced or not, also two at once; one that is replaced makes room', async () => {
    const small = await testGateway({ limits: { allUploadsBytes: 100 } });
    const send = async (name: string, body: string | ReadableStream) => {
      const init = { method: 'PUT', body, headers: { authorization: `Bearer ${TOKEN}` }, duplex: 'half' };
      return answerOf(await fetch(`${small.url}/uploads/${name}`, init as RequestInit));
    };
    const pieces = (count: number) =>
      ReadableStream.from(
        Array.from({ length: count }, () => new TextEncoder().encode('x'.repeat(10))),
      ) as ReadableStream;
    expect((await send('a.csv', 'x'.repeat(60))).status).toBe(200);
    expect(await send('b.csv', 'x'.repeat(60))).toMatchObject({ status: 507, code: 'UPLOADS_FULL' });
    const both = await Promise.allSettled([send('b.csv', pieces(3)), send('c.csv', pieces(3))]);
    expect(both.filter((one) => one.status === 'fulfilled' && one.value.status === 200).length).toBeLessThan(2);
    expect((await send('a.csv', 'x'.repeat(70))).status).toBe(200);
    const names = await readdir(small.uploadsDir);
    expect(names.filter((name) => name.startsWith('.'))).toEqual([]);
    const sizes = await Promise.all(names.map(async (name) => (await stat(join(small.uploadsDir, name))).size));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(100);
  });

  test('an upload that breaks off leaves nothing', async () => {
    const socket = connect(gateway.port, '127.0.0.1');
    socket.write(
      `PUT /uploads/half.csv HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Length: 1000\r\n\r\nhalf`,
    );
    await expect
      .poll(async () => (await readdir(gateway.uploadsDir)).some((file) => file.endsWith('.part')))
      .toBe(true);
    socket.destroy();
    await expect
      .poll(async () => (await readdir(gateway.uploadsDir)).filter((file) => file !== 'orders.csv'))
      .toEqual([]);
  });
});

test('metrics tell of requests by route', async () => {
  const response = await fetch(`${gateway.url}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } });
  const text = await response.text();
  expect(text).toMatch(
    /sluice_http_request_duration_seconds_count\{method="POST",route="\/graphql",status="200"\} \d+/,
  );
  expect(text).toContain('sluice_ws_connections 0');
  expect(text).toContain('process_resident_memory_bytes');
});

describe('odd requests', () => {
  const raw = (request: string) =>
    new Promise<string>((resolve, reject) => {
      const socket = connect(gateway.port, '127.0.0.1');
      let answer = '';
      socket.on('data', (data) => {
        answer += data;
      });
      socket.on('end', () => resolve(answer));
      socket.on('error', reject);
      socket.write(request);
    });

  test.each([
    ['//?x', 'x'],
    ['/graphql?%', 'x'],
    ['/%', 'x'],
    ['/graphql?query={viewer{name}}', 'a b'],
    ['http://[/graphql', 'x'],
    ['*', 'x'],
  ])('GET %s with Host %s is answered below 500', async (path, host) => {
    const answer = await raw(
      `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${TOKEN}\r\nConnection: close\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 [24]\d\d/);
    expect((await fetch(`${gateway.url}/health/live`)).status).toBe(200);
  });
});

test('the audits of GraphQL over HTTP find no error', async () => {
  const audits = serverAudits({
    url: `${gateway.url}/graphql`,
    fetchFn: (url: string, init: RequestInit = {}) =>
      fetch(url, { ...init, headers: { ...init.headers, authorization: `Bearer ${TOKEN}` } }),
  });
  const results = [];
  for (const audit of audits) results.push(await audit.fn());
  expect(results).toHaveLength(61);
  const errors = results.filter(({ status }) => status === 'error');
  expect(errors.map(({ name }) => name)).toEqual([]);
});
