import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '../../src/core/ids.js';
import { fingerprintOf } from '../../src/jobs/dead-letters/fingerprint.js';
import type { DeadLetterFilter, DeadLetterSelection, RedriveOrder } from '../../src/jobs/dead-letters/ports.js';
import { createSuccessMetricsStore } from '../../src/store/success-metrics-store.js';
import { aDeadJob, EXHAUSTED, manyDeadJobs } from '../support/dead-jobs.js';
import { aRuntime, type Runtime } from '../support/runtime.js';

const TENANT = 'default';
let runtime: Runtime;
beforeAll(async () => {
  runtime = await aRuntime();
});
afterEach(() =>
  runtime.pool.query('delete from sluice.job; delete from sluice.redrive; delete from sluice.queue_pause'),
);

const letters = () => runtime.stores.deadLetters;
const list = async (filter: DeadLetterFilter = {}, tenant = TENANT) =>
  (await letters().list(tenant, filter, { first: 100, after: null })).items.map(({ node }) => node);
const idsOf = async (filter: DeadLetterFilter = {}, tenant = TENANT) =>
  (await list(filter, tenant)).map(({ job }) => job.id);
const redrive = (selection: DeadLetterSelection, changes: Partial<RedriveOrder> = {}, tenant = TENANT) =>
  letters().redrive(tenant, 'anna', { selection, ratePerSecond: 10, idempotencyKey: null, inputHash: 'x', ...changes });
const discard = (selection: DeadLetterSelection, reason = 'of no use') =>
  letters().discard(TENANT, 'ben', selection, reason);
const everything: DeadLetterSelection = { filter: {} };
const poisonOnce = (stage: string, id: string) =>
  runtime.pool.query(
    `update sluice.job set state = 'RUNNING', takeovers = 2, stage = $2, lease_token = gen_random_uuid(),
       lease_until = statement_timestamp() - interval '1 s' where id = $1`,
    [id, stage],
  );
const secondsUntilDue = () =>
  runtime.column(
    `select round(extract(epoch from due_at - statement_timestamp()))::int from sluice.job
     where state = 'RETRYING' order by due_at, finished_at, name`,
  );

describe('the list', () => {
  it('holds what died by its attempts or took its workers down, newest first, and nothing else', async () => {
    const first = await aDeadJob(runtime);
    const second = await runtime.launch();
    await poisonOnce('EVALUATING', second);
    await runtime.stores.sweep.takeOver(3, 60_000, 10);
    for (const state of ['QUEUED', 'FAILED', 'CANCELLED', 'SUCCEEDED'])
      await runtime.pool.query(`update sluice.job set state = $2, finished_at = statement_timestamp() where id = $1`, [
        await runtime.launch(),
        state,
      ]);
    const [poisoned, exhausted, ...others] = await list();
    expect(others).toEqual([]);
    expect(poisoned).toMatchObject({ job: { id: second, error: { code: 'POISON' } }, redriveCount: 0 });
    const { error } = await runtime.job(second);
    expect(poisoned?.fingerprint).toBe(error && fingerprintOf(error, 'EVALUATING'));
    expect(exhausted).toMatchObject({ job: { id: first }, fingerprint: fingerprintOf(EXHAUSTED, 'PLANNING') });
  });

  it('is filtered by every member', async () => {
    const a = await aDeadJob(runtime, { name: 'a', owner: 'layer-20' });
    const error = { code: 'CHUNK_TIMEOUT', failureClass: 'WORKFLOW_INTEGRATION', message: 'It hangs.' } as const;
    const b = await aDeadJob(runtime, { name: 'b', error });
    await runtime.pool.query(`update sluice.job set finished_at = '2026-01-02T00:00:00Z' where id = $1`, [b]);
    const cases: readonly (readonly [DeadLetterFilter, readonly string[]])[] = [
      [{}, [a, b]],
      [{ name: 'a' }, [a]],
      [{ name: 'A' }, []],
      [{ owner: 'layer-12' }, [b]],
      [{ code: 'RETRIES_EXHAUSTED' }, [a]],
      [{ code: 'UNAVAILABLE' }, [a]],
      [{ code: 'CHUNK_TIMEOUT' }, [b]],
      [{ failureClass: 'WORKFLOW_INTEGRATION' }, [b]],
      [{ fingerprint: fingerprintOf(error, 'PLANNING') }, [b]],
      [{ fingerprint: '' }, []],
      [{ diedBefore: new Date('2026-01-02T00:00:00Z') }, []],
      [{ diedBefore: new Date('2026-01-02T00:00:00.001Z') }, [b]],
      [{ diedAfter: new Date('2026-01-02T00:00:00Z') }, [a]],
      [{ name: 'a', code: 'CHUNK_TIMEOUT' }, []],
    ];
    for (const [filter, expected] of cases) expect(await idsOf(filter), JSON.stringify(filter)).toEqual(expected);
  });

  it('is read page by page without gap or repeat, by jobs that died at the same moment too', async () => {
    await manyDeadJobs(runtime.pool, 12);
    await runtime.pool.query(`update sluice.job set finished_at = '2026-01-02T00:00:00.123456Z' where name < 'job-4'`);
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const page = await letters().list(TENANT, {}, { first: 5, after });
      expect(page.totalCount).toBe(12);
      seen.push(...page.items.map(({ node }) => node.job.id));
      after = page.hasNextPage ? (page.items.at(-1)?.cursor ?? null) : null;
    } while (after !== null);
    expect(seen).toEqual(await idsOf());
    expect(new Set(seen).size).toBe(12);
    for (const cursor of ['x', Buffer.from('["jobs/CREATED_AT/DESC","a","b"]').toString('base64url')])
      await expect(letters().list(TENANT, {}, { first: 5, after: cursor })).rejects.toMatchObject({
        code: 'CURSOR_INVALID',
      });
    const never = Buffer.from(JSON.stringify(['deadLetters', '2026-02-30 00:00:00+00', newId()])).toString('base64url');
    await expect(letters().list(TENANT, {}, { first: 5, after: never })).rejects.toMatchObject({
      code: 'CURSOR_INVALID',
    });
  });

  it('is told in groups, the largest first, each with its last job', async () => {
    const other = { ...EXHAUSTED, message: 'Attempt 1 was the last one: no space.' };
    await aDeadJob(runtime, { name: 'disk', error: other });
    const servers = [7, 9, 12].map((n) => ({
      ...EXHAUSTED,
      message: EXHAUSTED.message.replace('10.0.0.7', `10.0.1.${n}`),
    }));
    const ids: string[] = [];
    for (const [i, error] of servers.entries()) ids.push(await aDeadJob(runtime, { name: `load-${i % 2}`, error }));
    const [large, small, ...none] = await letters().groups(TENANT, {}, 10);
    expect(none).toEqual([]);
    expect(large).toMatchObject({ count: 3, names: ['load-0', 'load-1'], nameCount: 2, sample: { id: ids[2] } });
    expect(small).toMatchObject({ count: 1, names: ['disk'], sample: { error: { message: other.message } } });
    const [first, last] = [await runtime.job(ids[0] ?? ''), await runtime.job(ids[2] ?? '')];
    expect([large?.firstDiedAt, large?.lastDiedAt]).toEqual([first.finishedAt, last.finishedAt]);
    expect(await letters().groups(TENANT, {}, 1)).toHaveLength(1);
    expect(await letters().groups(TENANT, { name: 'load-1' }, 10)).toMatchObject([{ count: 1 }]);
    expect(await idsOf({ fingerprint: large?.fingerprint ?? '' })).toEqual([...ids].reverse());
  });

  it('names at most 20 pipelines of a group', async () => {
    await manyDeadJobs(runtime.pool, 30);
    const [group] = await letters().groups(TENANT, {}, 10);
    expect(group).toMatchObject({ count: 30, nameCount: 30 });
    expect(group?.names).toHaveLength(20);
  });

  it('is of one tenant alone, whatever is asked', async () => {
    const id = await aDeadJob(runtime, { tenant: 'other' });
    expect([await idsOf(), await letters().groups(TENANT, {}, 10)]).toEqual([[], []]);
    const refused = { taken: 0, refused: [{ jobId: id, reason: 'NOT_FOUND' }] };
    expect((await redrive({ ids: [id] })).redrive).toMatchObject(refused);
    expect((await redrive(everything)).redrive).toMatchObject({ taken: 0, refused: [] });
    expect(await discard({ ids: [id] })).toMatchObject(refused);
    expect(await discard(everything)).toMatchObject({ taken: 0 });
    expect(await idsOf({}, 'other')).toEqual([id]);
    await redrive({ ids: [id] }, {}, 'other');
    expect(await letters().redrivesOf(TENANT, id, 10)).toEqual([]);
    expect(await letters().redrivesOf('other', id, 10)).toHaveLength(1);
  });
});

describe('a redrive', () => {
  it('gives a job a new set of attempts, and keeps who did it, when, and from what', async () => {
    const id = await aDeadJob(runtime, { maxAttempts: 2 });
    const died = await runtime.job(id);
    const { redrive: done, replayed } = await redrive({ ids: [id] });
    expect({ ...done, replayed }).toMatchObject({
      taken: 1,
      refused: [],
      refusedCount: 0,
      remaining: 0,
      replayed: false,
    });
    const revived = await runtime.job(id);
    expect(revived).toMatchObject({ state: 'RETRYING', attempt: 0, error: null, startedAt: null, finishedAt: null });
    expect(revived.dueAt).toEqual(done.lastDueAt);
    const [row] = await letters().redrivesOf(TENANT, id, 10);
    expect(row).toMatchObject({
      id: done.id,
      number: 1,
      by: 'anna',
      diedAt: died.finishedAt,
      fingerprint: fingerprintOf(EXHAUSTED, 'PLANNING'),
      error: { code: 'RETRIES_EXHAUSTED', message: EXHAUSTED.message },
    });
    const events = await runtime.events(id);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
    expect(events.at(-1)).toMatchObject({
      state: 'RETRYING',
      message: 'Redriven by anna, number 1, after RETRIES_EXHAUSTED.',
    });
    expect((await runtime.stores.sweep.due(10)).map(({ jobId }) => jobId)).toEqual([id]);
    expect(await runtime.job(id)).toMatchObject({ state: 'QUEUED', attempt: 0, dueAt: null });
  });

  it('lets a job that takes its workers down do so three times more, and is counted again', async () => {
    const id = await runtime.launch();
    const die = async () => {
      for (let death = 0; death < 3; death += 1) {
        expect(await runtime.stores.attempts.claim(id, newId(), 'killed', 0)).not.toBeNull();
        await runtime.stores.sweep.takeOver(3, 60_000, 10);
      }
    };
    for (const number of [1, 2]) {
      await die();
      expect(await runtime.job(id)).toMatchObject({ state: 'DEAD', error: { code: 'POISON' } });
      expect(await list()).toMatchObject([{ redriveCount: number - 1 }]);
      expect((await redrive(everything)).redrive).toMatchObject({ taken: 1 });
      await runtime.stores.sweep.due(10);
    }
    const redrives = await letters().redrivesOf(TENANT, id, 10);
    expect(redrives.map(({ number, error }) => [number, error?.code])).toEqual([
      [1, 'POISON'],
      [2, 'POISON'],
    ]);
    expect(await letters().redrivesOf(TENANT, id, 1)).toMatchObject([{ number: 2 }]);
  });

  it('of a filter takes those that match, the ones that died first before the others', async () => {
    await manyDeadJobs(runtime.pool, 7);
    await aDeadJob(runtime, { name: 'stays', owner: 'layer-20' });
    const { redrive: done } = await redrive({ filter: { owner: 'layer-12' } }, { ratePerSecond: 2 });
    expect(done).toMatchObject({ taken: 7, remaining: 0 });
    expect(await secondsUntilDue()).toEqual([0, 0, 1, 1, 2, 2, 3]);
    expect(await runtime.column(`select name from sluice.job where state = 'RETRYING' order by due_at, name`)).toEqual(
      [1, 2, 3, 4, 5, 6, 7].map((n) => `job-${n}`),
    );
    expect((await list()).map(({ job }) => job.name)).toEqual(['stays']);
  });

  it('slower than one a second leaves gaps', async () => {
    await manyDeadJobs(runtime.pool, 3);
    await redrive(everything, { ratePerSecond: 0.1 });
    expect(await secondsUntilDue()).toEqual([0, 10, 20]);
    expect(await runtime.stores.sweep.due(10)).toHaveLength(1);
    expect(await runtime.stores.sweep.nextDueMs()).toBeGreaterThan(5_000);
  });

  it('of 1,000 jobs takes a few statements', async () => {
    await manyDeadJobs(runtime.pool, 1_000);
    const statements: string[] = [];
    const { pool } = runtime.stores;
    const connect = pool.connect.bind(pool);
    // A client is one connection with one `query`, which every statement of the transaction goes through.
    const client = await connect();
    const query = client.query.bind(client);
    Object.assign(client, {
      query: (...args: Parameters<typeof query>) => {
        statements.push(String(args[0]));
        return Reflect.apply(query, client, args);
      },
    });
    client.release();
    const { redrive: done } = await redrive(everything, { ratePerSecond: 200 });
    Object.assign(client, { query });
    expect(done).toMatchObject({ taken: 1_000 });
    expect(statements.length).toBeGreaterThan(3);
    expect(statements.length).toBeLessThan(12);
    expect(await runtime.column(`select count(*)::int from sluice.job_event where state = 'RETRYING'`)).toEqual([
      1_000,
    ]);
    expect(new Set(await secondsUntilDue())).toEqual(new Set([0, 1, 2, 3, 4]));
  });

  it('twice at once moves a job once', async () => {
    await manyDeadJobs(runtime.pool, 40);
    const ids = await idsOf();
    const both = await Promise.all([
      redrive({ ids }),
      redrive({ ids: [...ids].reverse() }),
      redrive(everything),
      redrive({ filter: { owner: 'layer-12' } }),
    ]);
    expect(both.reduce((sum, { redrive: { taken } }) => sum + taken, 0)).toBe(40);
    expect(await runtime.column('select count(*)::int from sluice.job_event')).toEqual([40]);
    expect(await runtime.column('select count(*)::int from sluice.job_redrive')).toEqual([40]);
    for (const {
      redrive: { taken, refused },
    } of both.slice(0, 2)) {
      expect(taken + refused.length).toBe(40);
      expect(refused.every(({ reason }) => reason === 'NOT_DEAD')).toBe(true);
    }
  });

  it('says of each job why it was left as it is', async () => {
    const dead = await aDeadJob(runtime);
    const queued = await runtime.launch();
    const unknown = newId();
    const { redrive: done } = await redrive({ ids: [queued, unknown, 'x', dead.toUpperCase()] });
    expect(done).toMatchObject({ taken: 1, refusedCount: 3 });
    expect(done.refused).toEqual([
      { jobId: queued, reason: 'NOT_DEAD' },
      { jobId: unknown, reason: 'NOT_FOUND' },
      { jobId: 'x', reason: 'NOT_FOUND' },
    ]);
  });

  it('with a key answers the first answer, and refuses the key for anything else', async () => {
    await manyDeadJobs(runtime.pool, 3);
    const order = { idempotencyKey: 'k', inputHash: 'one' };
    const answers = await Promise.all([1, 2, 3].map(() => redrive({ ids: ['x', 'y'] }, order)));
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    const [first] = answers;
    for (const { redrive: done } of answers) expect(done).toEqual(first?.redrive);
    expect((await redrive(everything, order)).redrive).toMatchObject({ taken: 0, refusedCount: 2 });
    await expect(redrive(everything, { ...order, inputHash: 'two' })).rejects.toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
      path: ['idempotencyKey'],
    });
    // Another tenant's key is another key.
    expect((await redrive(everything, { ...order, inputHash: 'two' }, 'other')).replayed).toBe(false);
    expect(await list()).toHaveLength(3);
  });

  it('that cannot be stored leaves everything as it was', async () => {
    await manyDeadJobs(runtime.pool, 3);
    await runtime.pool.query(
      `create function sluice.break_it() returns trigger language plpgsql as 'begin raise exception ''on purpose''; end';
       create trigger break_it before update on sluice.redrive for each row execute function sluice.break_it()`,
    );
    await expect(redrive(everything, { idempotencyKey: 'k' })).rejects.toThrow();
    await runtime.pool.query('drop function sluice.break_it cascade');
    expect(await list()).toHaveLength(3);
    expect((await redrive(everything, { idempotencyKey: 'k' })).redrive).toMatchObject({ taken: 3 });
  });
});

describe('the turns of a redrive', () => {
  const passes = (interval: string) =>
    runtime.pool.query('update sluice.job set due_at = due_at - $1::interval', [interval]);
  const due = async () => (await runtime.stores.sweep.due(100)).length;

  beforeEach(async () => {
    await manyDeadJobs(runtime.pool, 20);
    await redrive(everything, { ratePerSecond: 2 });
  });

  it('come one after the other', async () => {
    expect(await due()).toBe(2);
    await passes('3 s');
    expect(await due()).toBe(6);
  });

  it('that nobody gave for a while are put off, whoever looks first, and not given all at once', async () => {
    await passes('1 h');
    expect((await Promise.all([due(), due(), due()])).reduce((sum, one) => sum + one, 0)).toBe(2);
    expect(await secondsUntilDue()).toEqual([1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9]);
  });

  it('wait while the queue is paused, and are put off by that', async () => {
    await runtime.pool.query(`insert into sluice.queue_pause (tenant, paused_by) values ('default', 'anna')`);
    expect([await due(), await runtime.stores.sweep.nextDueMs()]).toEqual([0, null]);
    await passes('1 h');
    expect(await due()).toBe(0);
    await runtime.pool.query('delete from sluice.queue_pause');
    expect(await due()).toBe(2);
    await passes('1 s');
    expect(await due()).toBe(2);
  });

  it('wait while their target is paused, and the others do not', async () => {
    await runtime.pool.query(
      `update sluice.job set target = 'default.public.held' where name in ('job-1', 'job-2', 'job-3');
       insert into sluice.target_pause (tenant, target, escalation_id) values ('default', 'default.public.held', gen_random_uuid())`,
    );
    await passes('1 s');
    expect(await due()).toBe(1);
    await runtime.pool.query('delete from sluice.target_pause');
    expect(await due()).toBe(3);
  });

  it('do not hold up a job that failed and is tried again', async () => {
    await runtime.pool.query(`delete from sluice.job where name <> 'job-1'; update sluice.job set attempt = 1`);
    await runtime.pool.query(`insert into sluice.queue_pause (tenant, paused_by) values ('default', 'anna')`);
    await passes('1 h');
    expect(await due()).toBe(1);
  });

  it('are taken from a job that is cancelled, and given at once to one that is retried', async () => {
    const [first, last] = await runtime.column(
      `select id from sluice.job where name in ('job-1', 'job-20') order by due_at`,
    );
    expect(await runtime.stores.jobs.requestCancel(TENANT, String(first))).toMatchObject({ state: 'CANCELLED' });
    await passes('0.5 s');
    expect(await due()).toBe(1);
    expect(await runtime.stores.jobs.requestPause(TENANT, String(last))).toMatchObject({
      state: 'PAUSED',
      dueAt: null,
    });
    expect(await runtime.stores.jobs.resume(TENANT, String(last))).toMatchObject({ state: 'QUEUED' });
  });
});

describe('a discard', () => {
  it('takes jobs out of the list and keeps who did it, when and why', async () => {
    const [id, other] = [await aDeadJob(runtime), await aDeadJob(runtime, { name: 'other' })];
    const died = await runtime.job(id);
    expect(await discard({ ids: [id, 'x'] })).toMatchObject({
      taken: 1,
      refused: [{ jobId: 'x', reason: 'NOT_FOUND' }],
    });
    expect(await idsOf()).toEqual([other]);
    expect(await runtime.job(id)).toMatchObject({ state: 'CANCELLED', error: died.error, finishedAt: died.finishedAt });
    expect(await letters().discardOf(TENANT, id)).toEqual({ by: 'ben', reason: 'of no use', at: expect.any(Date) });
    expect([await letters().discardOf(TENANT, other), await letters().discardOf('other', id)]).toEqual([null, null]);
    expect((await runtime.events(id)).at(-1)).toMatchObject({
      state: 'CANCELLED',
      message: 'Discarded by ben: of no use',
    });
    expect(await discard({ ids: [id] })).toMatchObject({ taken: 0, refused: [{ jobId: id, reason: 'NOT_DEAD' }] });
    expect((await redrive({ ids: [id] })).redrive).toMatchObject({ taken: 0, refused: [{ reason: 'NOT_DEAD' }] });
  });

  it('leaves what was staged to the sweeper', async () => {
    const id = await aDeadJob(runtime);
    await runtime.pool.query(
      `update sluice.job set prepared = '{}', part_effect = 'PERMANENT', finished_at = statement_timestamp() - interval '1 min' where id = $1`,
      [id],
    );
    expect(await runtime.stores.sweep.leftovers(15_000, 10)).toEqual([]);
    await discard({ filter: { code: 'UNAVAILABLE' } });
    expect(await runtime.stores.sweep.leftovers(15_000, 10)).toMatchObject([{ job: { id } }]);
    expect(await runtime.stores.sweep.ended([id])).toEqual([id]);
  });

  it('and a redrive at once: each job goes one way', async () => {
    await manyDeadJobs(runtime.pool, 30);
    const ids = await idsOf();
    const [redriven, discarded] = await Promise.all([redrive({ ids }), discard({ ids: [...ids].reverse() })]);
    expect(redriven.redrive.taken + discarded.taken).toBe(30);
    const counts = await runtime.column(`select count(*)::int from sluice.job group by state order by 1`);
    expect(counts).toEqual([redriven.redrive.taken, discarded.taken].filter((n) => n > 0).sort((a, b) => a - b));
    expect(await runtime.column('select max(last_seq)::int from sluice.job')).toEqual([2]);
  });

  it('does not make the figures of the service better, nor does a redrive make them worse', async () => {
    const figures = async () => {
      const { jobsFailed, attemptsFailed } = await createSuccessMetricsStore(runtime.pool).counts(TENANT, 3_600_000);
      return { jobsFailed, attemptsFailed };
    };
    const ids = [await aDeadJob(runtime), await aDeadJob(runtime)];
    const before = await figures();
    expect(before).toEqual({ jobsFailed: 2, attemptsFailed: 2 });
    await discard({ ids: ids.slice(0, 1) });
    expect(await figures()).toEqual(before);
    await redrive({ ids });
    expect(await figures()).toEqual({ jobsFailed: 1, attemptsFailed: 2 });
  });
});
