import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../src/core/ids.js';
import type { JobOrder } from '../../src/jobs/job-service.js';
import { aRuntime, type Runtime } from '../support/runtime.js';

let runtime: Runtime;
beforeAll(async () => {
  runtime = await aRuntime();
});

describe('an idempotency key', () => {
  it('answers the same launch with the first job, and refuses another one', async () => {
    const first = await runtime.launch({ idempotencyKey: 'k1', specHash: 'same' });
    expect(await runtime.launch({ idempotencyKey: 'k1', specHash: 'same' })).toBe(first);
    await expect(runtime.launch({ idempotencyKey: 'k1', specHash: 'other' })).rejects.toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
    });
    // Another tenant's key, and no key at all, are not the same.
    expect(await runtime.launch({ idempotencyKey: 'k1', specHash: 'other', tenant: 'other' })).not.toBe(first);
    expect(await runtime.launch({ idempotencyKey: null, specHash: 'same' })).not.toBe(first);
  });

  it('starts one job when many launch at once', async () => {
    for (let round = 0; round < 5; round++) {
      const idempotencyKey = `race-${round}`;
      const ids = await Promise.all(
        Array.from({ length: 8 }, () => runtime.launch({ idempotencyKey, specHash: 'same' })),
      );
      expect(new Set(ids).size).toBe(1);
      expect(await runtime.events(ids[0] ?? '')).toHaveLength(1);
    }
  });

  it('lets one of two different launches win, and refuses the other', async () => {
    const results = await Promise.allSettled(
      ['a', 'b'].map((specHash) => runtime.launch({ idempotencyKey: 'duel', specHash })),
    );
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(results.find((result) => result.status === 'rejected')?.reason).toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
    });
  });
});

describe('the list of jobs', () => {
  const tenant = 'lists';
  const ORDERS: readonly JobOrder[] = (['CREATED_AT', 'FINISHED_AT', 'NAME', 'PRIORITY'] as const).flatMap((field) =>
    (['ASC', 'DESC'] as const).map((direction) => ({ field, direction })),
  );
  let ids: string[];
  beforeAll(async () => {
    ids = [];
    // Equal names, priorities and times, so that only the id tells them apart.
    for (let i = 0; i < 23; i++) {
      ids.push(await runtime.launch({ tenant, name: `job ${i % 3} 100%_\\`, priority: i % 4 }));
    }
    await runtime.pool.query(`update sluice.job set created_at = '2026-01-01 00:00:00.123456+00' where id = any($1)`, [
      ids.slice(5, 12),
    ]);
    await runtime.pool.query(`update sluice.job set finished_at = statement_timestamp() where id = any($1)`, [
      ids.slice(3, 9),
    ]);
  });

  const walk = async (order: JobOrder, first: number): Promise<string[]> => {
    const seen: string[] = [];
    let after: string | null = null;
    for (;;) {
      const page: Awaited<ReturnType<typeof runtime.stores.jobs.list>> = await runtime.stores.jobs.list(
        tenant,
        {},
        order,
        { first, after },
      );
      expect(page.totalCount).toBe(ids.length);
      seen.push(...page.items.map(({ node }) => node.id));
      if (!page.hasNextPage) return seen;
      after = page.items.at(-1)?.cursor ?? null;
    }
  };

  it('can be read page by page in every order, each job once, forwards as backwards', async () => {
    for (const order of ORDERS) {
      const whole = await walk(order, 100);
      expect([...whole].sort()).toEqual([...ids].sort());
      for (const first of [1, 4, 23]) expect(await walk(order, first)).toEqual(whole);
      const other = { ...order, direction: order.direction === 'ASC' ? 'DESC' : 'ASC' } as const;
      expect([...(await walk(other, 7))].reverse()).toEqual(whole);
    }
  });

  it('refuses a cursor that it has not made', async () => {
    const { jobs } = runtime.stores;
    const order = { field: 'NAME', direction: 'ASC' } as const;
    const page = await jobs.list(tenant, {}, order, { first: 1, after: null });
    const cursor = page.items[0]?.cursor ?? '';
    const forged = (parts: unknown) => Buffer.from(JSON.stringify(parts)).toString('base64url');
    const others: [JobOrder, string][] = [
      [{ field: 'NAME', direction: 'DESC' }, cursor],
      [{ field: 'PRIORITY', direction: 'ASC' }, cursor],
      [order, ''],
      [order, 'x'],
      [order, forged(['jobs/NAME/ASC', 'a'])],
      [order, forged(['jobs/NAME/ASC', 'a\0', newId()])],
      [{ field: 'CREATED_AT', direction: 'ASC' }, forged(['jobs/CREATED_AT/ASC', '2026-02-31 00:00:00+00', newId()])],
      [{ field: 'PRIORITY', direction: 'ASC' }, forged(['jobs/PRIORITY/ASC', '99999999999', newId()])],
    ];
    for (const [by, after] of others) {
      await expect(jobs.list(tenant, {}, by, { first: 1, after })).rejects.toMatchObject({ code: 'CURSOR_INVALID' });
    }
    const seed = Date.now() % 2 ** 31;
    await fc.assert(
      fc.asyncProperty(fc.string(), async (after) => {
        await expect(jobs.list(tenant, {}, order, { first: 1, after })).rejects.toMatchObject({
          code: 'CURSOR_INVALID',
        });
      }),
      { seed, numRuns: 30, verbose: 1 },
    );
  });

  it('filters and searches, with the wildcards of SQL as plain letters', async () => {
    const { jobs } = runtime.stores;
    const order = { field: 'CREATED_AT', direction: 'DESC' } as const;
    const count = async (filter: Parameters<typeof jobs.list>[1]) =>
      (await jobs.list(tenant, filter, order, { first: 1, after: null })).totalCount;
    expect(await count({ search: 'JOB 1' })).toBe(8);
    expect(await count({ search: '100%_\\' })).toBe(23);
    expect(await count({ search: '100%x' })).toBe(0);
    expect(await count({ search: ids[0]?.slice(-8) ?? '' })).toBe(1);
    expect(await count({ name: 'job 2 100%_\\' })).toBe(7);
    expect(await count({ states: ['QUEUED'] })).toBe(23);
    expect(await count({ states: ['FAILED', 'DEAD'] })).toBe(0);
    expect(await count({ kinds: ['BATCH'] })).toBe(0);
    expect(await count({ createdBefore: new Date('2026-02-01') })).toBe(7);
    expect(await count({ createdAfter: new Date('2026-02-01') })).toBe(16);
    expect((await jobs.list('nobody', {}, order, { first: 10, after: null })).items).toEqual([]);
  });
});

describe('the feed of moving jobs', () => {
  it('has what is not final and what changed lately, and knows the last seq of each', async () => {
    const { events } = runtime.stores;
    const tenant = 'feed';
    const [moving, old] = [await runtime.launch({ tenant }), await runtime.launch({ tenant })];
    await runtime.pool.query(
      `update sluice.job set state = 'SUCCEEDED', updated_at = statement_timestamp() - interval '1 h' where id = $1`,
      [old],
    );
    expect((await events.movingJobs(tenant, 60_000, 10)).map(({ id }) => id)).toEqual([moving]);
    expect((await events.movingJobs(tenant, 7_200_000, 10)).map(({ id }) => id).sort()).toEqual([moving, old].sort());
    expect(await events.lastSeqs([moving, newId(), 'no id'])).toEqual(new Map([[moving, 1]]));
    expect(await events.job('other', moving)).toBeNull();
    expect(await events.job(tenant, 'no id')).toBeNull();
  });
});
