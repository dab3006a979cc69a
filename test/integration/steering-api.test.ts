import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.js';
import { newId } from '../../src/core/ids.js';
import { createLog } from '../../src/core/log.js';
import { parsePipeline } from '../../src/engine/parse-pipeline.js';
import { createJobService } from '../../src/jobs/create-job-service.js';
import { startQueueService } from '../../src/jobs/queue/create-queue-service.js';
import { createQueueStore } from '../../src/store/queue-store.js';
import { eventually } from '../support/eventually.js';
import { type TestGateway, testGateway } from '../support/gateway.js';
import { partEngine } from '../support/part-engine.js';
import { aPipeline, aRuntime, type Runtime } from '../support/runtime.js';
import { steeringOf } from '../support/steering.js';

const engine = partEngine({ parts: [[[1, 'one']]] });
const log = createLog('silent');
let runtime: Runtime;
let gateway: TestGateway;
beforeAll(async () => {
  runtime = await aRuntime();
  const { steering, queue } = steeringOf(runtime);
  const { stores, bus, pool } = runtime;
  const queues = await startQueueService({ store: createQueueStore(pool), queue, bus, clock: systemClock, log });
  gateway = await testGateway({
    jobs: createJobService({ ...stores, queue, engine, parsePipeline, isKnownOwner: () => true, log }),
    steering,
    queues: queues.service,
  });
  return queues.stop;
});
afterEach(() =>
  runtime.pool.query('drop table if exists target; delete from sluice.job; delete from sluice.queue_pause'),
);

/** The answer of one mutation that steers a job. */
async function steer(name: string, id: string, more = ''): Promise<unknown> {
  const { data, errors } = await gateway.ask(
    `mutation ($id: ID!) { answer: ${name}(input: { id: $id ${more} }) { job { id state attempt } userErrors { code path } } }`,
    { id },
  );
  expect(errors).toBeUndefined();
  return data?.answer;
}

describe('the mutations that steer a job', () => {
  it('answer the job, and the same when they come twice', async () => {
    const id = await runtime.launch();
    const paused = { job: { id, state: 'PAUSED', attempt: 0 }, userErrors: [] };
    const queued = { job: { id, state: 'QUEUED', attempt: 0 }, userErrors: [] };
    for (const _ of [1, 2]) expect(await steer('pauseJob', id)).toEqual(paused);
    for (const _ of [1, 2]) expect(await steer('resumeJob', id)).toEqual(queued);
    expect(await steer('retryJob', id)).toEqual(queued);
    await runtime.pool.query(`update sluice.job set state = 'DEAD' where id = $1`, [id]);
    for (const _ of [1, 2]) expect(await steer('retryJob', id)).toEqual(queued);
    expect(await steer('cancelJob', id, 'rollback: true')).toMatchObject({ job: { state: 'CANCELLED' } });
  });

  it('answer as user errors what the caller can mend', async () => {
    const id = await runtime.launch();
    await runtime.pool.query(`update sluice.job set state = 'SUCCEEDED' where id = $1`, [id]);
    for (const name of ['cancelJob', 'pauseJob', 'resumeJob', 'retryJob']) {
      const refused = (code: string) => ({ job: null, userErrors: [{ code, path: [] }] });
      expect(await steer(name, id)).toEqual(refused('STATE_NOT_ALLOWED'));
      for (const stranger of [newId(), 'x']) expect(await steer(name, stranger)).toEqual(refused('JOB_NOT_FOUND'));
    }
    const loading = await runtime.launch();
    await runtime.pool.query(
      `update sluice.job set state = 'PAUSED', chunks_total = 2, rows_loaded = 1, part_effect = 'PERMANENT' where id = $1`,
      [loading],
    );
    expect(await steer('cancelJob', loading, 'rollback: true')).toEqual({
      job: null,
      userErrors: [{ code: 'ROLLBACK_NOT_POSSIBLE', path: ['rollback'] }],
    });
  });
});

describe('a job', () => {
  it('lists its last attempts, oldest first', async () => {
    const { queue } = await runtime.worker(engine);
    const id = await runtime.launch();
    await runtime.stores.attempts.claim(id, newId(), 'killed', 0);
    await runtime.stores.sweep.takeOver(3, 60_000, 10);
    await queue.hint(id);
    const query = `query ($id: ID!, $last: Int!) { job(id: $id) {
      attempts(last: $last) { seq number worker startedAt endedAt duration outcome error { code message } } } }`;
    const { data } = await gateway.ask(query, { id, last: 100 });
    const time = expect.stringMatching(/^\d{4}-.*Z$/);
    const ended = { number: 1, startedAt: time, endedAt: time, duration: expect.stringMatching(/^PT/), error: null };
    expect(data).toEqual({
      job: {
        attempts: [
          { ...ended, seq: 2, worker: 'killed', outcome: 'LEASE_LOST' },
          { ...ended, seq: 4, worker: expect.stringMatching(/^test:/), outcome: 'SUCCEEDED' },
        ],
      },
    });
    expect((await gateway.ask(query, { id, last: 1 })).data).toMatchObject({ job: { attempts: [{ seq: 4 }] } });
    for (const last of [0, 101]) {
      const { errors } = await gateway.ask(query, { id, last });
      expect(errors).toMatchObject([{ extensions: { code: 'INVALID_INPUT' } }]);
    }
  });

  it('takes a limit for its chunks, and staging, with the launch', async () => {
    const { data } = await gateway.ask(
      `mutation { launchEtlJob(input: { name: "limits", source: { records: { rows: [{ id: 1 }] } },
        sink: { postgres: { table: "target", createTable: true, staged: true } }, options: { chunkTimeout: "PT90S" }
      }) { job { spec } userErrors { message } } }`,
    );
    expect(data).toMatchObject({
      launchEtlJob: {
        userErrors: [],
        job: { spec: { options: { chunkTimeoutMs: 90_000 }, sink: { postgres: { staged: true } } } },
      },
    });
    expect(aPipeline().options.chunkTimeoutMs).toBe(600_000);
  });
});

describe('the queue', () => {
  const FIELDS = 'pause { since by reason } counts { state count } utilisation utilisationLevel workers { id }';

  it('is paused, seen and resumed', async () => {
    await runtime.launch();
    const paused = await gateway.ask(
      `mutation { pauseQueue(input: { reason: "moving" }) { queue { ${FIELDS} } userErrors { code } } }`,
    );
    expect(paused.data).toMatchObject({
      pauseQueue: {
        queue: {
          pause: { by: expect.any(String), reason: 'moving' },
          counts: [{ state: 'QUEUED', count: 1 }, ...Array.from({ length: 8 }, () => ({ count: 0 }))],
          utilisation: null,
          utilisationLevel: null,
          workers: [],
        },
        userErrors: [],
      },
    });
    expect((await gateway.ask(`{ queueStats { ${FIELDS} } }`)).data).toMatchObject({
      queueStats: { pause: { reason: 'moving' } },
    });
    const resumed = await gateway.ask(
      'mutation { resumeQueue(input: {}) { queue { pause { by } } userErrors { code } } }',
    );
    expect(resumed.data).toEqual({ resumeQueue: { queue: { pause: null }, userErrors: [] } });
    const long = 'x'.repeat(501);
    const refused = await gateway.ask(
      'mutation ($reason: String!) { pauseQueue(input: { reason: $reason }) { queue { at } userErrors { code path } } }',
      { reason: long },
    );
    expect(refused.data).toEqual({
      pauseQueue: { queue: null, userErrors: [{ code: 'INVALID_INPUT', path: ['reason'] }] },
    });
  });

  it('is told over a WebSocket as it changes', async () => {
    const told: unknown[] = [];
    const leave = gateway.socketClient().subscribe<{ queueFeed: unknown }>(
      { query: 'subscription { queueFeed { pause { reason } counts { state count } } }' },
      {
        next: ({ data }) => told.push(data?.queueFeed),
        error: (error) => told.push(error),
        complete: () => undefined,
      },
    );
    await eventually(() => told.length === 1);
    expect(told[0]).toMatchObject({ pause: null });
    await gateway.ask('mutation { pauseQueue(input: { reason: "now" }) { userErrors { code } } }');
    await eventually(() => told.length === 2);
    expect(told[1]).toMatchObject({ pause: { reason: 'now' } });
    leave();
  });
});
