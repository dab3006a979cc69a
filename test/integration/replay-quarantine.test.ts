import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SluiceError } from '../../src/core/errors.js';
import { newId } from '../../src/core/ids.js';
import { type QuarantineDesk, quarantineDesk } from '../support/quarantine-desk.js';
import { steeringOf } from '../support/steering.js';

let desk: QuarantineDesk;
beforeAll(async () => {
  desk = await quarantineDesk();
});
afterEach(() =>
  desk.runtime.pool.query('drop table if exists orders, copy; delete from sluice.quarantine; delete from sluice.job'),
);

const CALLER = { tenant: 'default', name: 'test' };
const range = (max: number) => [{ range: { column: 'quantity', min: 1, max }, severity: 'QUARANTINE' }];
const ORDERS = {
  steps: [
    {
      cast: {
        columns: [
          { name: 'id', type: 'INTEGER' },
          { name: 'quantity', type: 'INTEGER' },
        ],
      },
    },
  ],
  expectations: range(100),
  sink: { postgres: { table: 'orders', createTable: true } },
};
const WIDER = { expectations: range(1000) };
const CSV = 'id,name,quantity\n1,a,5\n2,b,x\n3,"c ""quoted""\nand broken",500\n4,,700\n6,short\n';

interface Answer {
  readonly job: { readonly id: string; readonly state: string; readonly replayOf: string } | null;
  readonly rows: number;
  readonly replayed: boolean;
  readonly userErrors: readonly { readonly code: string; readonly message: string; readonly path: readonly string[] }[];
}

async function replay(jobId: string, more: object = {}): Promise<Answer> {
  const { answer } = await desk.ask(
    `mutation ($input: ReplayQuarantineInput!) { answer: replayQuarantine(input: $input) {
      job { id state replayOf } rows replayed userErrors { code message path } } }`,
    { input: { jobId, ...more } },
  );
  return answer as Answer;
}

async function replayed(jobId: string, more: object = {}): Promise<string> {
  const { job, userErrors } = await replay(jobId, more);
  expect(userErrors).toEqual([]);
  await desk.run(job?.id ?? '');
  return job?.id ?? '';
}

const rowsOf = async (table = 'orders') => (await desk.runtime.pool.query(`select * from ${table} order by id`)).rows;
const statuses = (id: string) =>
  desk.runtime.column('select status from sluice.quarantine where job_id = $1 order by id', [id]);

describe('a replay under a changed spec', () => {
  it('loads the rows that are OPEN, and sets aside again what is still bad', async () => {
    const id = await desk.load(CSV, ORDERS);
    expect(await statuses(id)).toEqual(['OPEN', 'OPEN', 'OPEN', 'OPEN']);
    const started = await replay(id, { specPatch: WIDER, idempotencyKey: 'a' });
    // The record that could not be split has no values.
    expect(started).toMatchObject({ job: { state: 'QUEUED', replayOf: id }, rows: 3, replayed: false });
    expect(await statuses(id)).toEqual(['REPLAYING', 'REPLAYING', 'REPLAYING', 'OPEN']);
    const again = started.job?.id ?? '';
    await desk.run(again);
    expect(await desk.runtime.job(again)).toMatchObject({
      state: 'SUCCEEDED',
      replayOf: id,
      progress: { rowsRead: 3, rowsLoaded: 2, rowsQuarantined: 1 },
    });
    expect(await statuses(id)).toEqual(['REPLAYED', 'REPLAYED', 'REPLAYED', 'OPEN']);
    expect(await rowsOf()).toEqual([
      { id: 1, name: 'a', quantity: 5 },
      { id: 3, name: 'c "quoted"\nand broken', quantity: 500 },
      { id: 4, name: null, quantity: 700 },
    ]);
    const { rows } = await desk.runtime.pool.query(
      `select bad.row_number, bad.file, bad.reasons -> 0 ->> 'code' as code, bad.raw, origin.job_id as origin,
         origin.row_number = bad.row_number and origin.file = bad.file as is_same
       from sluice.quarantine as bad join sluice.quarantine as origin on origin.id = bad.origin_id where bad.job_id = $1`,
      [again],
    );
    expect(rows).toEqual([
      {
        row_number: 2n,
        file: expect.stringMatching(/^file:/),
        code: 'CAST_FAILED',
        raw: '{"id":"2","name":"b","quantity":"x"}',
        origin: id,
        is_same: true,
      },
    ]);
    // The same key is the same replay, and a second one finds nothing.
    expect(await replay(id, { specPatch: WIDER, idempotencyKey: 'a' })).toMatchObject({
      job: { id: again, state: 'SUCCEEDED' },
      replayed: true,
      rows: 3,
    });
    expect(await replay(id, { specPatch: WIDER })).toMatchObject({
      job: null,
      userErrors: [{ code: 'NOTHING_TO_REPLAY' }],
    });
    expect(await replay(id, { idempotencyKey: 'a' })).toMatchObject({
      job: null,
      userErrors: [{ code: 'IDEMPOTENCY_CONFLICT', path: ['idempotencyKey'] }],
    });
    // What the replay has set aside can be replayed itself.
    const last = await replayed(again, {
      specPatch: { ...WIDER, steps: [{ derive: { column: 'quantity', expression: '7' } }, ...ORDERS.steps] },
    });
    expect(await desk.runtime.job(last)).toMatchObject({ state: 'SUCCEEDED', progress: { rowsLoaded: 1 } });
    expect((await rowsOf())[1]).toEqual({ id: 2, name: 'b', quantity: 7 });
  });

  it('takes the rows of its filter alone', async () => {
    const id = await desk.load(CSV, ORDERS);
    const filter = { code: 'RANGE', column: 'quantity' };
    expect(await replay(id, { filter })).toMatchObject({ userErrors: [{ code: 'NOTHING_TO_REPLAY' }] });
    const open = await replay(id, { filter: { ...filter, statuses: ['OPEN'] } });
    expect(open).toMatchObject({ rows: 2, userErrors: [] });
    expect(await statuses(id)).toEqual(['OPEN', 'REPLAYING', 'REPLAYING', 'OPEN']);
  });

  it('reads rows in the types that they had, however few are left', async () => {
    const ndjson = [
      '{"id": 1, "big": 9007199254740993, "tags": ["a"], "ok": true, "n": null}',
      '{"id": 2, "big": 9007199254740995, "tags": [1, {"b": 2}], "ok": false, "n": 1.5}',
      '{"id": 3, "big": "12", "tags": [], "ok": true, "n": 2}',
    ].join('\n');
    const strict = [{ expression: { expression: 'id = 1' }, severity: 'QUARANTINE' }];
    const sink = { postgres: { table: 'orders', createTable: true } };
    const id = await desk.load(ndjson, { source: 'ndjson', sink, expectations: strict });
    const whole = await desk.load(ndjson, {
      source: 'ndjson',
      sink: { postgres: { ...sink.postgres, table: 'copy' } },
    });
    expect(await desk.runtime.job(whole)).toMatchObject({ state: 'SUCCEEDED' });
    await replayed(id, { specPatch: { expectations: null } });
    expect(await rowsOf()).toEqual(await rowsOf('copy'));
  });

  it('goes through columns of every Parquet type unchanged', async () => {
    const types = `1::TINYINT AS tiny, 123456789012345678901234567890::HUGEINT AS huge, 1.10::DECIMAL(9,2) AS money,
      'x'::VARCHAR AS text, '\\xAA'::BLOB AS bytes, DATE '2026-01-02' AS day, TIMESTAMPTZ '2026-01-02 03:04:05.6+02' AS moment,
      TIME '01:02:03' AS clock, '01931c00-0000-7000-8000-000000000001'::UUID AS uid, [1, 2] AS list, {'a': 1, 'b': 'x'} AS pair, true AS flag, 'nan'::DOUBLE AS nothing, 0.1::DOUBLE AS tenth`;
    // Written by the engine itself: the step makes the types, and the file sink keeps them.
    const { evaluation } = await desk.home.run({
      source: { records: { rows: [{ id: 0 }] } },
      steps: [{ sql: { query: `SELECT unnest(range(3)) AS id, ${types} FROM input` } }],
      sink: { parquet: { uri: 'file:x.parquet' } },
    });
    await copyFile(evaluation.parts[0]?.uri ?? '', join(desk.home.dataDir, 'types.parquet'));
    const spec = (table: string, expectations: unknown) => ({
      source: { parquet: { uri: 'file:types.parquet' } },
      expectations,
      sink: { postgres: { table, createTable: true } },
    });
    const none = [{ expression: { expression: 'id < 1' }, severity: 'QUARANTINE' }];
    const id = await desk.load('', spec('orders', none));
    const whole = await desk.load('', spec('copy', []));
    expect(await desk.runtime.job(whole)).toMatchObject({ state: 'SUCCEEDED', progress: { rowsLoaded: 3 } });
    expect(await desk.runtime.job(id)).toMatchObject({ state: 'SUCCEEDED', progress: { rowsQuarantined: 2 } });
    await replayed(id, { specPatch: { expectations: [] } });
    expect(await rowsOf()).toEqual(await rowsOf('copy'));
  });
});

describe('a replay is refused', () => {
  it('for a target that it would empty, unless the patch names another way', async () => {
    const replace = { ...ORDERS, sink: { postgres: { table: 'orders', createTable: true, mode: 'REPLACE' } } };
    const id = await desk.load(CSV, replace);
    expect(await replay(id, { specPatch: WIDER })).toMatchObject({
      userErrors: [
        { code: 'STATE_NOT_ALLOWED', path: ['specPatch', 'sink'], message: expect.stringContaining('APPEND') },
      ],
    });
    await replayed(id, { specPatch: { ...WIDER, sink: { postgres: { mode: 'APPEND' } } } });
    expect((await rowsOf()).map((row) => row.id)).toEqual([1, 3, 4]);
    const file = await desk.load(CSV, { ...ORDERS, sink: { ndjson: { uri: 'file:out.ndjson' } } });
    expect(await replay(file, { specPatch: WIDER })).toMatchObject({ userErrors: [{ code: 'STATE_NOT_ALLOWED' }] });
    expect(
      await replay(file, { specPatch: { ...WIDER, sink: { ndjson: { uri: 'file:more.ndjson' } } } }),
    ).toMatchObject({ rows: 3 });
  });

  it('for a patch that is none, or leads to no pipeline', async () => {
    const id = await desk.load(CSV, ORDERS);
    const refused = async (specPatch: unknown) => (await replay(id, { specPatch })).userErrors;
    expect(await refused([1])).toMatchObject([{ code: 'INVALID_INPUT', path: ['specPatch'] }]);
    expect(await refused({ source: { csv: { uri: 'file:x' } } })).toMatchObject([
      { code: 'INVALID_INPUT', path: ['specPatch', 'source'] },
    ]);
    expect(await refused({ steps: [{ drop: { columns: ['nope'] } }] })).toMatchObject([
      { code: 'UNKNOWN_COLUMN', path: ['specPatch', 'steps', '0', 'drop', 'columns', '0'] },
    ]);
    expect(await refused({ steps: [{ nope: {} }] })).toMatchObject([
      { code: 'EXACTLY_ONE_MEMBER', path: ['specPatch', 'steps', '0'] },
    ]);
    expect(await refused({ expectations: [], options: { onFailure: '\u0000' } })).toMatchObject([
      { code: 'INVALID_INPUT' },
    ]);
    expect(await replay(id, { filter: { statuses: ['REPLAYED'] } })).toMatchObject({
      userErrors: [{ code: 'INVALID_INPUT', path: ['filter', 'statuses'] }],
    });
    expect(await statuses(id)).toEqual(['OPEN', 'OPEN', 'OPEN', 'OPEN']);
  });

  it('while the job may still change, and when there is none', async () => {
    for (const state of ['RUNNING', 'FAILED', 'AWAITING_DECISION']) {
      const id = await desk.runtime.launch();
      await desk.runtime.pool.query('update sluice.job set state = $2 where id = $1', [id, state]);
      expect(await replay(id)).toMatchObject({
        job: null,
        userErrors: [{ code: 'STATE_NOT_ALLOWED', path: ['jobId'] }],
      });
    }
    const foreign = await desk.runtime.launch({ tenant: 'other' });
    for (const id of [foreign, newId(), 'x'])
      expect(await replay(id)).toMatchObject({ userErrors: [{ code: 'JOB_NOT_FOUND', path: ['jobId'] }] });
  });

  it('when the spec of the job cannot be read any more, until a patch mends it', async () => {
    const id = await desk.load(CSV, ORDERS);
    await desk.runtime.pool.query(
      `update sluice.job set spec = jsonb_set(spec, '{steps}', '[{"gone": {}}]') where id = $1`,
      [id],
    );
    expect(await replay(id, { filter: { statuses: ['OPEN'] } })).toMatchObject({
      userErrors: [{ code: 'EXACTLY_ONE_MEMBER', path: ['steps', '0'] }],
    });
    expect(await replay(id, { specPatch: { ...WIDER, steps: ORDERS.steps } })).toMatchObject({
      rows: 3,
      userErrors: [],
    });
  });
});

describe('rows of a replay', () => {
  it('go to one of two that start at once', async () => {
    const id = await desk.load(CSV, ORDERS);
    const answers = await Promise.all([1, 2, 3].map(() => replay(id, { specPatch: WIDER })));
    expect(answers.map(({ rows }) => rows).sort()).toEqual([0, 0, 3]);
    expect(answers.flatMap(({ userErrors }) => userErrors.map(({ code }) => code))).toEqual([
      'NOTHING_TO_REPLAY',
      'NOTHING_TO_REPLAY',
    ]);
    expect(await desk.runtime.column('select count(*)::int from sluice.job where replay_of = $1', [id])).toEqual([1]);
  });

  it('go back when the replay is cancelled or fails, and another one loads them once', async () => {
    const id = await desk.load(CSV, ORDERS);
    const { steering } = steeringOf(desk.runtime);
    const first = await replay(id, { specPatch: WIDER });
    await steering.cancel(CALLER, first.job?.id ?? '', false);
    expect(await statuses(id)).toEqual(['OPEN', 'OPEN', 'OPEN', 'OPEN']);

    // Not one row may be in the target when it fails, whatever parts were loaded before.
    const second = (await replay(id, { specPatch: WIDER })).job?.id ?? '';
    const { queue } = await desk.worker({
      parsePipeline(spec) {
        const pipeline = desk.parsePipeline(spec);
        const publish = () => Promise.reject(new SluiceError('TARGET_NOT_FOUND', 'On purpose.'));
        return { ...pipeline, sink: { ...pipeline.sink, publish } };
      },
    });
    await queue.hint(second);
    expect(await desk.runtime.job(second)).toMatchObject({ state: 'FAILED', error: { code: 'TARGET_NOT_FOUND' } });
    expect(await statuses(id)).toEqual(['OPEN', 'OPEN', 'OPEN', 'OPEN']);
    expect((await rowsOf()).map((row) => row.id)).toEqual([1]);
    await expect(steering.retry(CALLER, second)).rejects.toMatchObject({
      code: 'STATE_NOT_ALLOWED',
      message: expect.stringContaining('replay them again'),
    });

    await replayed(id, { specPatch: WIDER });
    expect((await rowsOf()).map((row) => row.id)).toEqual([1, 3, 4]);
    expect(await statuses(id)).toEqual(['REPLAYED', 'REPLAYED', 'REPLAYED', 'OPEN']);
  });

  it('stay with a replay whose worker is killed, go on with another worker, and go back when it is given up', async () => {
    const id = await desk.load(CSV, ORDERS);
    const { attempts, sweep } = desk.runtime.stores;
    const first = (await replay(id, { specPatch: WIDER })).job?.id ?? '';
    await attempts.claim(first, newId(), 'killed', 0);
    await sweep.takeOver(3, 60_000, 10);
    expect(await statuses(id)).toEqual(['REPLAYING', 'REPLAYING', 'REPLAYING', 'OPEN']);
    // Killed again with everything loaded, before the commit of the end.
    const { queue } = await desk.worker({
      chunks: {
        ...desk.runtime.stores.chunks,
        finish: () => Promise.reject(new SluiceError('LEASE_LOST', 'On purpose.')),
      },
    });
    await queue.hint(first);
    expect(await desk.runtime.job(first)).toMatchObject({ state: 'RUNNING' });
    expect((await rowsOf()).map((row) => row.id)).toEqual([1]);
    await desk.runtime.pool.query('update sluice.job set lease_until = statement_timestamp() where id = $1', [first]);
    await sweep.takeOver(3, 60_000, 10);
    await desk.run(first);
    expect(await desk.runtime.job(first)).toMatchObject({ state: 'SUCCEEDED', progress: { rowsLoaded: 2 } });
    expect((await rowsOf()).map((row) => row.id)).toEqual([1, 3, 4]);

    const other = await desk.load(CSV, ORDERS);
    const poison = (await replay(other, { specPatch: WIDER })).job?.id ?? '';
    for (let death = 0; death < 3; death++) {
      await attempts.claim(poison, newId(), 'killed', 0);
      await sweep.takeOver(3, 60_000, 10);
    }
    expect(await desk.runtime.job(poison)).toMatchObject({ state: 'DEAD' });
    expect(await statuses(other)).toEqual(['OPEN', 'OPEN', 'OPEN', 'OPEN']);
    const order = { selection: { ids: [poison] }, ratePerSecond: 1, idempotencyKey: null, inputHash: '' };
    expect(await desk.runtime.stores.deadLetters.redrive('default', 'test', order)).toMatchObject({
      redrive: { taken: 0, refused: [{ jobId: poison, reason: 'IS_REPLAY' }] },
    });
  });

  it('come once into another database, also when the worker is killed between the two commits', async () => {
    const sink = { postgres: { table: 'orders', createTable: true, connection: 'warehouse' } };
    const id = await desk.load(CSV, { ...ORDERS, sink });
    const there = async () => {
      const { rows } = await desk.warehouse.query<{ id: number }>('select id from orders order by id');
      return rows.map((row) => row.id);
    };
    expect(await there()).toEqual([1]);
    const job = (await replay(id, { specPatch: WIDER })).job?.id ?? '';
    const { chunks, sweep } = desk.runtime.stores;
    const finish: typeof chunks.finish = (attempt, signal, publish, isElsewhere) =>
      chunks.finish(
        attempt,
        signal,
        async (client, loaded) => {
          await publish(client, loaded);
          throw new SluiceError('LEASE_LOST', 'Killed on purpose.');
        },
        isElsewhere,
      );
    const { queue } = await desk.worker({ chunks: { ...chunks, finish } });
    await queue.hint(job);
    expect([await there(), (await desk.runtime.job(job)).state]).toEqual([[1, 3, 4], 'RUNNING']);
    expect(await statuses(id)).toEqual(['REPLAYING', 'REPLAYING', 'REPLAYING', 'OPEN']);
    await desk.runtime.pool.query('update sluice.job set lease_until = statement_timestamp() where id = $1', [job]);
    await sweep.takeOver(3, 60_000, 10);
    await desk.run(job);
    expect([await there(), (await desk.runtime.job(job)).state]).toEqual([[1, 3, 4], 'SUCCEEDED']);
    expect(await statuses(id)).toEqual(['REPLAYED', 'REPLAYED', 'REPLAYED', 'OPEN']);
  });

  it('are refused by the worker when somebody takes the staging away', async () => {
    const id = await desk.load(CSV, ORDERS);
    const job = (await replay(id, { specPatch: WIDER })).job?.id ?? '';
    await desk.runtime.pool.query(
      `update sluice.job set spec = jsonb_set(spec, '{sink,postgres,staged}', 'false') where id = $1`,
      [job],
    );
    await desk.run(job);
    expect(await desk.runtime.job(job)).toMatchObject({
      state: 'FAILED',
      error: { message: expect.stringContaining('staged: true') },
    });
    expect(await statuses(id)).toEqual(['OPEN', 'OPEN', 'OPEN', 'OPEN']);
    expect((await rowsOf()).map((row) => row.id)).toEqual([1]);
  });
});
