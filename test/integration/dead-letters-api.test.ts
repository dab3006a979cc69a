import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../src/core/ids.js';
import { createLog } from '../../src/core/log.js';
import { parsePipeline } from '../../src/engine/parse-pipeline.js';
import { createJobService } from '../../src/jobs/create-job-service.js';
import { createDeadLetterService } from '../../src/jobs/dead-letters/create-dead-letter-service.js';
import { aDeadJob, EXHAUSTED, manyDeadJobs } from '../support/dead-jobs.js';
import { type TestGateway, testGateway } from '../support/gateway.js';
import { handQueue } from '../support/hand-queue.js';
import { partEngine } from '../support/part-engine.js';
import { aRuntime, type Runtime } from '../support/runtime.js';

const log = createLog('silent');
let runtime: Runtime;
let gateway: TestGateway;
beforeAll(async () => {
  runtime = await aRuntime();
  const { stores } = runtime;
  const engine = partEngine({ parts: [] });
  gateway = await testGateway({
    jobs: createJobService({ ...stores, queue: handQueue(), engine, parsePipeline, isKnownOwner: () => true, log }),
    deadLetters: createDeadLetterService({ store: stores.deadLetters, log }),
  });
});
afterEach(() => runtime.pool.query('delete from sluice.job; delete from sluice.redrive'));

const REDRIVE = `mutation ($input: RedriveDeadLettersInput!) { answer: redriveDeadLetters(input: $input) {
  redriveId taken refusedCount refused { jobId reason } remaining lastDueAt replayed userErrors { code path message } } }`;
const DISCARD = `mutation ($input: DiscardDeadLettersInput!) { answer: discardDeadLetters(input: $input) {
  taken refusedCount refused { jobId reason } remaining userErrors { code path message } } }`;

async function answerOf(mutation: string, input: object): Promise<unknown> {
  const { data, errors } = await gateway.ask(mutation, { input });
  expect(errors).toBeUndefined();
  return data?.answer;
}
/** What is wrong with the input: its place in it. */
async function mistakeOf(mutation: string, input: object): Promise<unknown> {
  const answer = await answerOf(mutation, input);
  expect(answer).toMatchObject({ taken: 0, refused: [], userErrors: [{ code: 'INVALID_INPUT' }] });
  return (answer as { userErrors: { path: string[] }[] }).userErrors[0]?.path;
}

describe('the dead letters', () => {
  it('are listed, grouped, redriven and discarded', async () => {
    const [first, second] = [await aDeadJob(runtime, { name: 'a' }), await aDeadJob(runtime, { name: 'b' })];
    const listed = await gateway.ask(
      `query ($filter: DeadLetterFilter) { deadLetters(filter: $filter, first: 1) { totalCount pageInfo { hasNextPage endCursor }
        edges { node { fingerprint diedAt redriveCount job { id state redrives { number } discard { by } error { code } } } } } }`,
      { filter: { code: 'UNAVAILABLE', failureClass: 'CRITICAL_FAILURE', name: null } },
    );
    const job = { id: second, state: 'DEAD', redrives: [], discard: null, error: { code: 'RETRIES_EXHAUSTED' } };
    const node = { fingerprint: expect.any(String), diedAt: expect.stringMatching(/Z$/), redriveCount: 0, job };
    expect(listed.data).toEqual({
      deadLetters: { totalCount: 2, pageInfo: { hasNextPage: true, endCursor: expect.any(String) }, edges: [{ node }] },
    });
    const grouped = await gateway.ask(
      '{ deadLetterGroups { fingerprint count code class message names nameCount firstDiedAt lastDiedAt sample { id } } }',
    );
    expect(grouped.data).toMatchObject({
      deadLetterGroups: [
        {
          count: 2,
          code: 'RETRIES_EXHAUSTED',
          class: 'CRITICAL_FAILURE',
          message: 'Attempt <n> was the last one: the server <n> does not answer.',
          names: ['a', 'b'],
          sample: { id: second },
        },
      ],
    });
    expect(await answerOf(REDRIVE, { jobIds: [first, 'x'], idempotencyKey: 'k' })).toEqual({
      redriveId: expect.any(String),
      taken: 1,
      refusedCount: 1,
      refused: [{ jobId: 'x', reason: 'NOT_FOUND' }],
      remaining: 0,
      lastDueAt: expect.stringMatching(/Z$/),
      replayed: false,
      userErrors: [],
    });
    expect(await answerOf(DISCARD, { filter: { name: 'b' }, reason: ' mended by hand ' })).toMatchObject({ taken: 1 });
    const shown = await gateway.ask(
      `query ($a: ID!, $b: ID!) { a: job(id: $a) { state redrives { number by at diedAt error { code message } } }
        b: job(id: $b) { state discard { by at reason } } }`,
      { a: first, b: second },
    );
    expect(shown.data).toMatchObject({
      a: {
        state: 'RETRYING',
        redrives: [{ number: 1, by: 'admin', error: { code: 'RETRIES_EXHAUSTED', message: EXHAUSTED.message } }],
      },
      b: { state: 'CANCELLED', discard: { by: 'admin', reason: 'mended by hand' } },
    });
  });

  it('are all redriven when that is said, once with one key', async () => {
    await manyDeadJobs(runtime.pool, 30);
    const input = { all: true, ratePerSecond: 5, idempotencyKey: 'all' };
    const first = await answerOf(REDRIVE, input);
    expect(first).toMatchObject({ taken: 30, replayed: false });
    expect(await answerOf(REDRIVE, input)).toEqual({ ...(first as object), replayed: true });
    expect(await answerOf(REDRIVE, { ...input, ratePerSecond: 6 })).toMatchObject({
      taken: 0,
      redriveId: null,
      userErrors: [{ code: 'IDEMPOTENCY_CONFLICT', path: ['idempotencyKey'] }],
    });
    const filter = (diedBefore: string) => ({ filter: { diedBefore }, idempotencyKey: 'date' });
    await answerOf(REDRIVE, filter('2026-01-01T00:00:00Z'));
    expect(await answerOf(REDRIVE, filter('2026-01-02T00:00:00Z'))).toMatchObject({
      userErrors: [{ code: 'IDEMPOTENCY_CONFLICT' }],
    });
  });

  it('of another tenant are not there', async () => {
    const id = await aDeadJob(runtime, { tenant: 'other' });
    const { data } = await gateway.ask('{ deadLetters { totalCount } deadLetterGroups { count } }');
    expect(data).toEqual({ deadLetters: { totalCount: 0 }, deadLetterGroups: [] });
    const refused = { taken: 0, refused: [{ jobId: id, reason: 'NOT_FOUND' }] };
    expect(await answerOf(REDRIVE, { jobIds: [id] })).toMatchObject(refused);
    expect(await answerOf(DISCARD, { jobIds: [id], reason: 'x' })).toMatchObject(refused);
    expect(await answerOf(REDRIVE, { all: true })).toMatchObject({ taken: 0, refused: [] });
  });

  it('are shown and moved with a token alone', async () => {
    const body = (query: string, input?: object) => JSON.stringify({ query, variables: { input } });
    for (const text of [body('{ deadLetters { totalCount } }'), body(REDRIVE, { all: true }), body(DISCARD, {})]) {
      const response = await gateway.post(text, { authorization: 'Bearer wrong' });
      expect(response.status).toBe(401);
    }
  });
});

describe('a mistake', () => {
  const ids = { jobIds: [newId()] };
  const filter = { filter: { name: 'a' } };

  it.each([
    ['nothing', {}, []],
    ['`all` that is false', { all: false }, []],
    ['ids and a filter', { ...ids, ...filter }, []],
    ['ids and all', { ...ids, all: true }, []],
    ['a filter and all', { ...filter, all: true }, []],
    ['no ids', { jobIds: [] }, ['jobIds']],
    ['too many ids', { jobIds: Array.from({ length: 1_001 }, newId) }, ['jobIds']],
    ['an empty filter', { filter: {} }, ['filter']],
    ['a filter of nulls', { filter: { name: null, code: null } }, ['filter']],
    ['a filter that PostgreSQL cannot read', { filter: { name: 'a\0' } }, ['filter', 'name']],
    ['no rate', { ...ids, ratePerSecond: 0 }, ['ratePerSecond']],
    ['a rate below none', { ...ids, ratePerSecond: -1 }, ['ratePerSecond']],
    ['a rate beyond all bounds', { ...ids, ratePerSecond: 1e9 }, ['ratePerSecond']],
    ['an empty key', { ...ids, idempotencyKey: ' ' }, ['idempotencyKey']],
    ['a long key', { ...ids, idempotencyKey: 'k'.repeat(201) }, ['idempotencyKey']],
  ])('in a redrive is told with its place: %s', async (_what, input, path) => {
    const id = await aDeadJob(runtime);
    expect(await mistakeOf(REDRIVE, input)).toEqual(path);
    expect(await runtime.job(id)).toMatchObject({ state: 'DEAD' });
  });

  it.each([
    ['nothing', { reason: 'x' }, []],
    ['ids and a filter', { ...ids, ...filter, reason: 'x' }, []],
    ['no ids', { jobIds: [], reason: 'x' }, ['jobIds']],
    ['an empty filter', { filter: {}, reason: 'x' }, ['filter']],
    ['an empty reason', { ...ids, reason: '' }, ['reason']],
    ['a blank reason', { ...ids, reason: ' \n ' }, ['reason']],
    ['a long reason', { ...ids, reason: 'x'.repeat(10_000) }, ['reason']],
    ['a reason that cannot be stored', { ...ids, reason: 'x\0' }, ['reason']],
  ])('in a discard is told with its place: %s', async (_what, input, path) => {
    const id = await aDeadJob(runtime);
    expect(await mistakeOf(DISCARD, input)).toEqual(path);
    expect(await runtime.job(id)).toMatchObject({ state: 'DEAD' });
  });

  it('in a variable is refused by its type', async () => {
    for (const input of [{ ...ids, reason: null }, { ...ids }, { ...ids, reason: 'x', all: true }])
      expect((await gateway.ask(DISCARD, { input })).errors).toMatchObject([
        { extensions: { code: 'BAD_USER_INPUT' } },
      ]);
    for (const wrong of [{ code: 'NO_SUCH_CODE' }, { diedAfter: 'yesterday' }])
      expect((await gateway.ask(REDRIVE, { input: { filter: wrong } })).errors).toHaveLength(1);
  });

  it('in a page is told', async () => {
    for (const query of [
      '{ deadLetters(first: 0) { totalCount } }',
      '{ deadLetters(first: 101) { totalCount } }',
      '{ deadLetterGroups(first: 0) { count } }',
      `{ deadLetters(filter: { name: "a\\u0000" }) { totalCount } }`,
    ])
      expect((await gateway.ask(query)).errors, query).toMatchObject([{ extensions: { code: 'INVALID_INPUT' } }]);
    const cursor = await gateway.ask('{ deadLetters(after: "x") { totalCount } }');
    expect(cursor.errors).toMatchObject([{ extensions: { code: 'CURSOR_INVALID' } }]);
    const id = await aDeadJob(runtime);
    const { errors } = await gateway.ask('query ($id: ID!) { job(id: $id) { redrives(last: 0) { id } } }', { id });
    expect(errors).toMatchObject([{ extensions: { code: 'INVALID_INPUT' } }]);
  });
});
