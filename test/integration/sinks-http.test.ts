import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.js';
import { SluiceError, UserErrors } from '../../src/core/errors.js';
import { createAddressRules } from '../../src/core/safe-address.js';
import { createEngine } from '../../src/engine/create-engine.js';
import { parsePipeline } from '../../src/engine/parse-pipeline.js';
import type { HttpEndpointsOptions } from '../../src/engine/sinks/http-endpoints.js';
import type { HttpEndpoints } from '../../src/engine/sinks/sink.js';
import { TOPICS } from '../../src/jobs/events.js';
import { startRunner } from '../../src/jobs/runner.js';
import { eventually } from '../support/eventually.js';
import { handQueue } from '../support/hand-queue.js';
import { answering, type HttpReceiver, startHttpReceiver } from '../support/http-receiver.js';
import { aRuntime, type Runtime, type TestWorker } from '../support/runtime.js';

let runtime: Runtime;
let crm: HttpReceiver;
const opened: { close(): Promise<void> }[] = [];
beforeAll(async () => {
  runtime = await aRuntime();
  crm = await startHttpReceiver();
});
afterAll(() => crm.close());
afterEach(async () => {
  await Promise.all(opened.splice(0).map((each) => each.close()));
  crm.reset();
  await runtime.pool.query('delete from sluice.job');
});

const ROWS = Array.from({ length: 10 }, (_, i) => ({ id: i + 1, v: `row ${i + 1}` }));
const spec = (sink: object = {}, more: object = {}) => ({
  source: { records: { rows: ROWS } },
  sink: { http: { connection: 'crm', batchRows: 3, ...sink } },
  ...more,
});

function endpointsWith(changes: Partial<HttpEndpointsOptions> = {}): HttpEndpoints {
  const endpoints = crm.endpoints(changes);
  opened.push(endpoints);
  return endpoints;
}

function engineOver(endpoints: HttpEndpoints) {
  const { files } = runtime.context({} as never);
  const limits = { memoryMb: 256, threads: 1, tempMb: 1_000 };
  return createEngine({ files, endpoints, limits, scratchDir: join(runtime.staging, 'scratch'), clock: systemClock });
}

function aWorker(endpoints = endpointsWith()): Promise<TestWorker> {
  return runtime.worker(engineOver(endpoints), { endpoints, random: () => 0.5 });
}

const launch = (pipeline: object, changes: object = {}) =>
  runtime.launch({ spec: parsePipeline(pipeline).json, ...changes });
const noClient = <T>(work: (client: never) => Promise<T>) => work({} as never);

/** Launches a job and gives one worker one hint for it. */
async function run(pipeline: object, changes: object = {}, endpoints = endpointsWith()) {
  const worker = await aWorker(endpoints);
  const id = await launch(pipeline, changes);
  await worker.queue.hint(id);
  return { ...worker, id, job: await runtime.job(id) };
}

/** Whatever waits is due, and a worker takes it. */
async function goOn({ queue }: TestWorker, id: string): Promise<void> {
  await runtime.pool.query('update sluice.chunk set due_at = statement_timestamp() where due_at is not null');
  await runtime.pool.query(`update sluice.job set due_at = statement_timestamp() where state = 'RETRYING'`);
  await runtime.stores.sweep.due(10);
  await queue.hint(id);
}

async function problemOf(work: Promise<unknown>) {
  const error = await work.then(
    () => new Error('nothing was wrong'),
    (thrown: unknown) => thrown,
  );
  const found = error instanceof UserErrors ? error.errors[0] : error;
  return found instanceof SluiceError ? { code: found.code, path: found.path, message: found.message } : found;
}

describe('a job with an HTTP sink', () => {
  it('sends its rows in batches, in order, each with a key and the headers of the connection', async () => {
    const { id, job } = await run(spec({ path: 'v1/orders' }));
    expect(job).toMatchObject({ state: 'SUCCEEDED', progress: { rowsLoaded: 10 } });
    expect(crm.calls.map(({ body }) => JSON.parse(body))).toEqual([
      ROWS.slice(0, 3),
      ROWS.slice(3, 6),
      ROWS.slice(6, 9),
      ROWS.slice(9),
    ]);
    expect(crm.calls[0]).toMatchObject({
      method: 'POST',
      path: '/api/v1/orders',
      headers: { authorization: 'Bearer top-secret', 'content-type': 'application/json' },
    });
    for (const [i, key] of crm.keys().entries()) expect(key).toMatch(new RegExp(`^${id}-0-${i}-[0-9a-f]{16}$`));
  });

  it('writes one object a line, by PUT, with every digit', async () => {
    const ndjson = '{"id": 9007199254740993, "d": "1.10", "t": "a\\nb\\u0001", "n": null}';
    const steps = [{ cast: { columns: [{ name: 'd', type: 'DECIMAL', precision: 38, scale: 19 }] } }];
    const sink = { http: { connection: 'crm', method: 'PUT', format: 'NDJSON' } };
    const { job } = await run({ source: { records: { ndjson } }, steps, sink });
    expect(job.state).toBe('SUCCEEDED');
    expect(crm.calls).toMatchObject([
      { method: 'PUT', path: '/api/', headers: { 'content-type': 'application/x-ndjson' } },
    ]);
    expect(crm.calls[0]?.body).toBe('{"id":9007199254740993,"d":1.1000000000000000000,"t":"a\\nb\\u0001","n":null}\n');
  });

  it('sends nothing when there is no row', async () => {
    const { job } = await run(spec({}, { steps: [{ filter: { expression: 'id > 100' } }] }));
    expect(job).toMatchObject({ state: 'SUCCEEDED', progress: { rowsLoaded: 0, rowsFiltered: 10 } });
    expect(crm.calls).toEqual([]);
  });

  it('keeps rows in quarantine to itself, whichever way they are found', async () => {
    const expectations = [{ range: { column: 'id', min: 3 }, severity: 'QUARANTINE' }];
    for (const more of [[], [{ rowCount: { min: 1 }, severity: 'FAIL' }]]) {
      crm.reset();
      const options = { errorBudget: { percent: 50, minRows: 0 } };
      const { job } = await run(spec({}, { expectations: [...expectations, ...more], options }));
      expect(job).toMatchObject({ state: 'SUCCEEDED', progress: { rowsLoaded: 8, rowsQuarantined: 2 } });
      expect(crm.rows().map(({ id }) => id)).toEqual([3, 4, 5, 6, 7, 8, 9, 10]);
    }
  });

  it('sends several batches at once, all of them once', async () => {
    const { job } = await run(spec({ batchRows: 1, concurrency: 4 }));
    expect(job.state).toBe('SUCCEEDED');
    expect(
      crm
        .rows()
        .map(({ id }) => Number(id))
        .sort((a, b) => a - b),
    ).toEqual(ROWS.map(({ id }) => id));
    expect(new Set(crm.keys()).size).toBe(10);
  });

  it('has nothing to read back', async () => {
    const { id } = await run(spec());
    expect(await runtime.column('select rows_rechecked from sluice.job where id = $1', [id])).toEqual([null]);
  });
});

describe('an endpoint that has trouble', () => {
  it('gets the same batches with the same keys when the part is tried again, and rows count once', async () => {
    crm.answer((batch, response) => response.writeHead(batch.key.includes('-0-2-') ? 500 : 204).end());
    const { queue, context, runner, id, job } = await run(spec());
    expect(job).toMatchObject({ state: 'RUNNING', progress: { rowsLoaded: 0 } });
    const first = crm.keys();
    crm.reset();
    await goOn({ queue, context, runner }, id);
    expect(await runtime.job(id)).toMatchObject({ state: 'SUCCEEDED', progress: { rowsLoaded: 10 } });
    expect(crm.keys().slice(0, 3)).toEqual(first);
    expect(crm.rows()).toEqual(ROWS);
  });

  it('gets the same keys from another worker after the first is gone', async () => {
    crm.answer((batch, response) => {
      if (!batch.key.includes('-0-1-')) response.writeHead(204).end();
    });
    const id = await launch(spec());
    const first = await aWorker();
    const held = first.queue.hint(id);
    await eventually(() => crm.calls.length === 2);
    const sent = crm.keys();
    // As if it had died: its leases run out, and its lost request changes nothing.
    await runtime.pool.query(`update sluice.job set lease_until = statement_timestamp() - interval '1 s'`);
    await runtime.pool.query(`update sluice.chunk set lease_until = statement_timestamp() - interval '1 s'`);
    crm.reset();
    const second = await aWorker();
    await second.queue.hint(id);
    expect(await runtime.job(id)).toMatchObject({ state: 'SUCCEEDED', progress: { rowsLoaded: 10 } });
    expect(crm.keys().slice(0, 2)).toEqual(sent);
    await runtime.bus.publish(TOPICS.cancel, { jobId: id });
    await held;
    expect(await runtime.job(id)).toMatchObject({ state: 'SUCCEEDED', progress: { rowsLoaded: 10 } });
  });

  it('is asked again after as long as it says', async () => {
    crm.answer(answering(429, { 'retry-after': '20' }));
    const worker = await run(spec());
    const [dueIn] = await runtime.column(
      'select extract(epoch from due_at - statement_timestamp())::float8 from sluice.chunk where job_id = $1',
      [worker.id],
    );
    expect(dueIn).toBeGreaterThan(15);
    expect(dueIn).toBeLessThanOrEqual(20.5);
    crm.answer(answering(200));
    await goOn(worker, worker.id);
    expect((await runtime.job(worker.id)).state).toBe('SUCCEEDED');
  });

  it('lets the job wait when it says longer than a job may count as running', async () => {
    crm.answer(answering(503, { 'retry-after': '600' }));
    const { id, job } = await run(spec());
    expect(job.state).toBe('RETRYING');
    const dueIn = 'select extract(epoch from due_at - statement_timestamp())::float8 from sluice.job where id = $1';
    expect((await runtime.column(dueIn, [id]))[0]).toBeGreaterThan(590);
  });

  it.each([[500], [408]])('holds the job when it answers %i for ever', async (status) => {
    crm.answer(answering(status, {}, 'out of order'));
    const worker = await run(spec(), { maxAttempts: 1 });
    for (let i = 0; i < 4; i += 1) await goOn(worker, worker.id);
    expect(await runtime.job(worker.id)).toMatchObject({
      state: 'AWAITING_DECISION',
      error: { code: 'RETRIES_EXHAUSTED', message: expect.stringContaining(`crm answered ${status}: out of order`) },
      progress: { rowsLoaded: 0 },
    });
  });

  it.each([400, 401, 404, 410, 422])(
    'is not asked twice when it answers %i, and its words are told',
    async (status) => {
      crm.answer(answering(status, {}, `no\n\u001bsuch ${'x'.repeat(2_000)} field; you sent Bearer top-secret`));
      const { job } = await run(spec());
      expect(job).toMatchObject({ state: 'AWAITING_DECISION', error: { code: 'TARGET_REFUSED' } });
      const message = job.error?.message ?? '';
      expect(message.startsWith(`The HTTP connection crm refused a batch: it answered ${status}: no such xxx`)).toBe(
        true,
      );
      expect(message.length).toBeLessThan(400);
      expect(crm.calls).toHaveLength(1);
    },
  );

  it('does not get its secret told', async () => {
    crm.answer(answering(403, {}, 'bad token: Bearer top-secret'));
    const { job } = await run(spec());
    expect(job.error?.message).toBe('The HTTP connection crm refused a batch: it answered 403: bad token: ***');
  });

  it('leads nowhere else', async () => {
    crm.answer(answering(307, { location: `${crm.url}elsewhere` }));
    const { job } = await run(spec());
    expect(job.error).toMatchObject({
      code: 'TARGET_REFUSED',
      message: 'The HTTP connection crm refused a batch: it answered 307, and redirects are not followed.',
    });
    expect(crm.calls).toHaveLength(1);
  });

  it('may say more than anybody reads', async () => {
    crm.answer(answering(200, {}, 'x'.repeat(3_000_000)));
    expect((await run(spec())).job.state).toBe('SUCCEEDED');
    expect(crm.calls).toHaveLength(4);
  });

  it('has only so long to answer', async () => {
    crm.answer(() => undefined);
    const { id, job } = await run(spec(), {}, endpointsWith({ timeoutMs: 20 }));
    expect(job.state).toBe('RUNNING');
    const messages = (await runtime.events(id)).map(({ message }) => message);
    expect(messages.at(-1)).toContain('The HTTP connection crm did not answer within 20 ms.');
  });

  it('is left alone once the job is cancelled', async () => {
    let isGone = false;
    crm.answer((_batch, response) => {
      response.once('close', () => {
        isGone = true;
      });
    });
    const { queue } = await aWorker();
    const id = await launch(spec());
    const held = queue.hint(id);
    await eventually(() => crm.calls.length === 1);
    await runtime.stores.jobs.requestCancel('default', id);
    await runtime.bus.publish(TOPICS.cancel, { jobId: id });
    await held;
    await eventually(() => isGone);
    expect(await runtime.job(id)).toMatchObject({ state: 'CANCELLED', progress: { rowsLoaded: 0 } });
    expect(crm.calls).toHaveLength(1);
  });

  it('is left alone once the process stops, and no attempt is used up', async () => {
    crm.answer(() => undefined);
    const endpoints = endpointsWith();
    const queue = handQueue();
    const runner = await startRunner({ ...runtime.context(engineOver(endpoints), queue), endpoints }, 1, 0);
    const id = await launch(spec());
    const held = queue.hint(id);
    await eventually(() => crm.calls.length === 1);
    await runner.stop();
    await held;
    expect(await runtime.job(id)).toMatchObject({ attempt: 1, progress: { rowsLoaded: 0 } });
    const sent = crm.keys();
    crm.reset();
    await goOn(await aWorker(), id);
    expect(await runtime.job(id)).toMatchObject({ state: 'SUCCEEDED', attempt: 1, progress: { rowsLoaded: 10 } });
    expect(crm.keys()[0]).toBe(sent[0]);
  });

  it('gets another key for other rows when the job is begun anew with another spec', async () => {
    crm.answer((batch, response) => response.writeHead(batch.key.includes('-0-1-') ? 422 : 204).end());
    const worker = await run(spec());
    expect(worker.job.state).toBe('AWAITING_DECISION');
    const [first] = crm.keys();
    const steps = [{ derive: { column: 'v', expression: "'other'" } }];
    await runtime.pool.query(
      `update sluice.job set spec = $2, prepared = null, chunks_total = null, chunks_done = 0, state = 'QUEUED' where id = $1`,
      [worker.id, JSON.stringify(parsePipeline(spec({}, { steps })).json)],
    );
    await runtime.pool.query('delete from sluice.chunk where job_id = $1', [worker.id]);
    crm.reset();
    await worker.queue.hint(worker.id);
    expect((await runtime.job(worker.id)).state).toBe('SUCCEEDED');
    expect(crm.keys()[0]).not.toBe(first);
    expect(crm.keys()[0]?.startsWith(`${worker.id}-0-0-`)).toBe(true);
  });
});

describe('a check', () => {
  const check = (endpoints: HttpEndpoints, sink: object = {}) =>
    problemOf(engineOver(endpoints).check(parsePipeline(spec(sink)), noClient));
  const connections = (url: string) => ({ connections: { crm: { url, headers: {} } } });

  it('and a preview send nothing', async () => {
    const engine = engineOver(endpointsWith());
    await engine.check(parsePipeline(spec()), noClient);
    const preview = await engine.preview(parsePipeline(spec()), noClient, 5);
    expect(preview.rowsRead).toBe(10);
    expect(crm.calls).toEqual([]);
  });

  it('names the connections that there are', async () => {
    expect(await check(endpointsWith(), { connection: 'nope' })).toMatchObject({
      code: 'UNKNOWN_CONNECTION',
      path: ['sink', 'http', 'connection'],
      message: 'There is no HTTP connection nope; configured in SLUICE_HTTP_CONNECTIONS: crm.',
    });
  });

  it.each([
    ['an address', 'http://10.1.2.3/', undefined],
    ['a name', 'http://crm.example.org/', '10.1.2.3'],
    ['IPv6', 'http://[::1]/', undefined],
  ])('refuses what is private (%s)', async (_title, url, address) => {
    const resolve = async () => [{ address: address ?? '', family: 4 }];
    const rules = createAddressRules([]);
    const problem = await check(endpointsWith({ ...connections(url), rules, resolve }));
    expect(problem).toMatchObject({
      code: 'TARGET_NOT_ALLOWED',
      path: ['sink', 'http', 'connection'],
      message:
        'The HTTP connection crm leads to an address that is not public; SLUICE_HTTP_ALLOW has to name its host or network.',
    });
  });

  it('does not mind a name that cannot be resolved at the moment', async () => {
    const resolve = () => Promise.reject(new Error('EAI_AGAIN'));
    const engine = engineOver(endpointsWith({ ...connections('http://crm.example.org/'), resolve }));
    await engine.check(parsePipeline(spec()), noClient);
  });

  it('is made once more when rows are sent, for a name may lead elsewhere by then', async () => {
    let asked = 0;
    const resolve = async () => {
      asked += 1;
      return [{ address: asked > 1 ? '10.1.2.3' : '93.184.215.14', family: 4 }];
    };
    const options = { ...connections('http://crm.example.org/'), rules: createAddressRules([]), resolve };
    const { job } = await run(spec(), {}, endpointsWith(options));
    expect(job).toMatchObject({ state: 'FAILED', error: { code: 'TARGET_NOT_ALLOWED' } });
  });

  it.each(['../admin', '/v1', 'v1/../../x', 'a//b', 'https://x', 'a?b=1', '%2e%2e/x', 'a\\b', '.hidden', ''])(
    'refuses the path %j',
    (path) => expect(() => parsePipeline(spec({ path }))).toThrow(UserErrors),
  );

  it.each([{ batchRows: 0 }, { batchRows: 10_001 }, { concurrency: 17 }, { method: 'GET' }, { url: 'http://x' }])(
    'refuses %j',
    (sink) => expect(() => parsePipeline(spec(sink))).toThrow(UserErrors),
  );
});
