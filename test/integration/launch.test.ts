import { beforeAll, describe, expect, it } from 'vitest';
import { loadOrgChart } from '../../escalation/org-chart.js';
import { createLog } from '../../src/core/log.js';
import { parsePipeline } from '../../src/engine/parse-pipeline.js';
import { createJobService } from '../../src/jobs/create-job-service.js';
import type { JobService, LaunchRequest } from '../../src/jobs/job-service.js';
import { eventually } from '../support/eventually.js';
import { handQueue } from '../support/hand-queue.js';
import { partEngine } from '../support/part-engine.js';
import { aRuntime, type Runtime } from '../support/runtime.js';

const caller = { tenant: 'default', name: 'test' };
const engine = partEngine({ parts: [] });
let runtime: Runtime;
let isKnownOwner: (id: string) => boolean;
beforeAll(async () => {
  runtime = await aRuntime();
  const chart = await loadOrgChart();
  isKnownOwner = (id) => chart.agent(id) !== undefined;
});

function aService(changes: Partial<Parameters<typeof createJobService>[0]> = {}) {
  const queue = handQueue();
  const { stores } = runtime;
  const service: JobService = createJobService({
    ...stores,
    queue,
    engine,
    parsePipeline,
    isKnownOwner,
    log: createLog('silent'),
    ...changes,
  });
  return { service, queue };
}

const aRequest = (changes: Partial<LaunchRequest> = {}): LaunchRequest => ({
  name: 'orders',
  owner: 'layer-12',
  idempotencyKey: null,
  priority: 0,
  pipeline: {
    source: { records: { rows: [{ id: 1 }] } },
    sink: { postgres: { table: 'orders', mode: 'APPEND', createTable: true } },
  },
  ...changes,
});

describe('launching', () => {
  it('stores the job before it offers it, with every default of its spec', async () => {
    const { service, queue } = aService();
    const { job, replayed } = await service.launchEtl(caller, aRequest({ priority: 7 }));
    expect(replayed).toBe(false);
    expect(job).toMatchObject({ state: 'QUEUED', lastSeq: 1, priority: 7, maxAttempts: 5, name: 'orders' });
    expect(parsePipeline(job.spec).json).toEqual(job.spec);
    expect(await service.get(caller, job.id)).toEqual(job);
    expect(queue.offers).toEqual([{ jobId: job.id, options: { priority: 7, once: '1' } }]);
  });

  it('is not in vain when the queue is away', async () => {
    const broken = { ...handQueue(), offer: () => Promise.reject(new Error('no Redis')) };
    const { job } = await aService({ queue: broken }).service.launchEtl(caller, aRequest());
    expect(await runtime.job(job.id)).toMatchObject({ state: 'QUEUED' });
  });

  it('answers the same request with the first job, even when its source is gone, and offers it once', async () => {
    const gone = { ...engine, check: () => Promise.reject(new Error('the file is gone')) };
    const request = aRequest({ idempotencyKey: 'key' });
    const { service, queue } = aService();
    const first = await service.launchEtl(caller, request);
    const again = await aService({ engine: gone, queue }).service.launchEtl(caller, { ...request });
    expect(again).toMatchObject({ replayed: true, job: { id: first.job.id } });
    expect(queue.offers).toHaveLength(1);
    await expect(service.launchEtl(caller, { ...request, name: 'other' })).rejects.toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
      path: ['idempotencyKey'],
    });
  });

  it.each([
    ['an owner that nobody knows', { owner: 'layer-999' }, { code: 'UNKNOWN_OWNER', path: ['owner'] }],
    ['an empty name', { name: '  ' }, { errors: [{ code: 'INVALID_INPUT', path: ['name'] }] }],
    ['a NUL', { name: 'a\0' }, { errors: [{ code: 'INVALID_INPUT', path: ['name'] }] }],
    ['a priority out of range', { priority: 1e9 }, { errors: [{ code: 'INVALID_INPUT', path: ['priority'] }] }],
    ['no pipeline', { pipeline: null }, { errors: [{ code: 'INVALID_INPUT' }] }],
    [
      'a NUL inside the data',
      { pipeline: { source: { records: { rows: [{ a: ['x\0'] }] } }, sink: { postgres: { table: 't' } } } },
      { errors: [{ code: 'INVALID_INPUT', path: ['source', 'records', 'rows', 0, 'a', 0] }] },
    ],
  ] as const)('refuses %s, and stores nothing', async (_what, changes, error) => {
    const { service, queue } = aService();
    const before = await runtime.column('select count(*)::int from sluice.job');
    await expect(service.launchEtl(caller, aRequest(changes))).rejects.toMatchObject(error);
    expect(await runtime.column('select count(*)::int from sluice.job')).toEqual(before);
    expect(queue.offers).toEqual([]);
  });

  it('shows a job to its tenant alone', async () => {
    const { service } = aService();
    const { job } = await service.launchEtl(caller, aRequest());
    const other = { tenant: 'other', name: 'x' };
    expect(await service.get(other, job.id)).toBeNull();
    expect(await service.report(other, job.id)).toEqual([]);
    expect(await service.attempts(other, job.id, 10)).toEqual([]);
  });
});

describe('dry runs', () => {
  it('run two at a time, and a failing one gives its place to the next', async () => {
    let running = 0;
    let most = 0;
    let done = 0;
    const waiting: (() => void)[] = [];
    const slow = {
      ...engine,
      async inferSchema() {
        most = Math.max(most, ++running);
        await new Promise<void>((resolve) => waiting.push(resolve));
        running -= 1;
        done += 1;
        if (done === 1) throw new Error('on purpose');
        return [];
      },
    };
    const { service } = aService({ engine: slow });
    const runs = Promise.allSettled(Array.from({ length: 5 }, () => service.inferSchema(caller, {})));
    await eventually(() => {
      waiting.shift()?.();
      return done === 5;
    });
    expect((await runs).map(({ status }) => status)).toEqual(['rejected', ...Array(4).fill('fulfilled')]);
    expect(most).toBe(2);
  });
});
