import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../src/core/ids.js';
import { type QuarantineDesk, quarantineDesk } from '../support/quarantine-desk.js';
import { seeded } from '../support/seeded.js';

let desk: QuarantineDesk;
beforeAll(async () => {
  desk = await quarantineDesk();
});
afterEach(() =>
  desk.runtime.pool.query('drop table if exists orders, copy; delete from sluice.quarantine; delete from sluice.job'),
);

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
  expectations: [{ range: { column: 'quantity', min: 1, max: 100 }, severity: 'QUARANTINE' }],
  sink: { postgres: { table: 'orders', createTable: true } },
};
const CSV = 'id,name,quantity\n1,a,5\n2,b,7x\n3,c,500\n4,d,y\n5,short\n';

const FIX = `mutation ($input: FixQuarantinedRowsInput!) { answer: fixQuarantinedRows(input: $input) {
  rows good bad fixed reasons { code column expectation rows } samples { id reasons { code column } values }
  userErrors { code message path } } }`;
const DISCARD = `mutation ($input: DiscardQuarantinedRowsInput!) { answer: discardQuarantinedRows(input: $input) {
  discarded userErrors { code message path } } }`;
const REPLAY = `mutation ($input: ReplayQuarantineInput!) { answer: replayQuarantine(input: $input) {
  job { id } rows userErrors { code message path } } }`;

interface Answer {
  readonly rows: number;
  readonly good: number;
  readonly bad: number;
  readonly fixed: number;
  readonly discarded: number;
  readonly job: { readonly id: string } | null;
  readonly samples: readonly { readonly id: string; readonly values: string }[];
  readonly userErrors: readonly { readonly code: string; readonly message: string; readonly path: readonly string[] }[];
}
const ask = async (query: string, input: object) => (await desk.ask(query, { input })).answer as Answer;
const fix = (jobId: string, input: object) => ask(FIX, { jobId, ...input });
const discard = (jobId: string, input: object) => ask(DISCARD, { jobId, reason: 'No use.', ...input });

async function replayed(jobId: string): Promise<string> {
  const { job, userErrors } = await ask(REPLAY, { jobId });
  expect(userErrors).toEqual([]);
  await desk.run(job?.id ?? '');
  expect(await desk.runtime.job(job?.id ?? '')).toMatchObject({ state: 'SUCCEEDED' });
  return job?.id ?? '';
}

const rowsOf = async (table = 'orders') => (await desk.runtime.pool.query(`select * from ${table} order by id`)).rows;
const idsOf = async (jobId: string) =>
  (await desk.runtime.column('select id from sluice.quarantine where job_id = $1 order by id', [jobId])).map(String);
const statuses = (id: string) =>
  desk.runtime.column('select status from sluice.quarantine where job_id = $1 order by id', [id]);

describe('rows fixed by hand', () => {
  it('are tried first, stored when the pipeline takes them, and loaded by a replay', async () => {
    const id = await desk.load(CSV, ORDERS);
    const [two, three, four, five] = await idsOf(id);
    const rows = [
      { id: two, values: { quantity: 7 } },
      { id: three, values: { quantity: '50', name: 'C' } },
      { id: four, values: { quantity: 'z' } },
      { id: five, values: { id: 5, quantity: '9' } },
    ];
    const expected = {
      rows: 4,
      good: 3,
      bad: 1,
      reasons: [{ code: 'CAST_FAILED', column: 'quantity', expectation: null, rows: 1 }],
      samples: [
        {
          id: four,
          reasons: [{ code: 'CAST_FAILED', column: 'quantity' }],
          values: '{"id":"4","name":"d","quantity":"z"}',
        },
      ],
      userErrors: [],
    };
    expect(await fix(id, { rows })).toEqual({ ...expected, fixed: 0 });
    expect(await statuses(id)).toEqual(['OPEN', 'OPEN', 'OPEN', 'OPEN']);
    expect(await fix(id, { rows, dryRun: false })).toEqual({ ...expected, fixed: 3 });
    expect(await statuses(id)).toEqual(['FIXED', 'FIXED', 'OPEN', 'FIXED']);

    // Fixed again: on top of what it has, and what it was is kept.
    await fix(id, { rows: [{ id: three, values: { quantity: 51 } }], dryRun: false });
    const query = `query ($id: ID!) { quarantine(jobId: $id, filter: { statuses: [FIXED] }) {
      edges { node { raw fixedValues history { by status before reason } } } } }`;
    const { quarantine } = await desk.ask(query, { id });
    const { edges } = quarantine as { edges: { node: object }[] };
    const change = { by: 'admin', status: 'FIXED', reason: null };
    expect(edges[1]?.node).toEqual({
      raw: '{"id":"3","name":"c","quantity":"500"}',
      fixedValues: '{"id":"3","name":"C","quantity":"51"}',
      history: [
        { ...change, before: null },
        { ...change, before: '{"id":"3","name":"C","quantity":"50"}' },
      ],
    });
    const replay = await replayed(id);
    expect(await rowsOf()).toEqual([
      { id: 1, name: 'a', quantity: 5 },
      { id: 2, name: 'b', quantity: 7 },
      { id: 3, name: 'C', quantity: 51 },
      { id: 5, name: null, quantity: 9 },
    ]);
    expect(await statuses(id)).toEqual(['REPLAYED', 'REPLAYED', 'OPEN', 'REPLAYED']);
    expect(await fix(id, { rows: [{ id: two, values: { quantity: 1 } }] })).toMatchObject({
      userErrors: [{ code: 'STATE_NOT_ALLOWED', path: ['rows', '0', 'id'] }],
    });
    expect(await idsOf(replay)).toEqual([]);
  });

  it('are stored by nobody who has seen older values', async () => {
    const id = await desk.load(CSV, ORDERS);
    const [two] = await idsOf(id);
    const quantities = [10, 20, 30, 40];
    const answers = await Promise.all(
      quantities.map((quantity) => fix(id, { rows: [{ id: two, values: { quantity } }], dryRun: false })),
    );
    const stored = answers.reduce((sum, { fixed }) => sum + fixed, 0);
    expect(await desk.runtime.column('select revision from sluice.quarantine where id = $1', [two])).toEqual([stored]);
    expect(stored).toBeGreaterThan(0);
  });

  it('are refused with every mistake told', async () => {
    const id = await desk.load(CSV, ORDERS);
    const [two] = await idsOf(id);
    const other = await desk.load(CSV, ORDERS);
    const [foreign] = await idsOf(other);
    const refused = async (input: object) => (await fix(id, input)).userErrors;
    const values = { quantity: 1 };
    expect(
      await refused({
        rows: [
          { id: foreign, values },
          { id: 'x', values },
          { id: '0', values },
        ],
      }),
    ).toMatchObject([
      { code: 'ROW_NOT_FOUND', path: ['rows', '0', 'id'] },
      { code: 'ROW_NOT_FOUND', path: ['rows', '1', 'id'] },
      { code: 'ROW_NOT_FOUND', path: ['rows', '2', 'id'] },
    ]);
    expect(
      await refused({
        rows: [
          { id: two, values: { Quantity: 1 } },
          { id: '1', values: { quantity: [1] } },
          { id: '2', values: {} },
          { id: '3', values: 'x' },
          { id: '4', values: { name: '\u0000' } },
        ],
      }),
    ).toMatchObject([
      {
        code: 'UNKNOWN_COLUMN',
        message: expect.stringContaining('"quantity"'),
        path: ['rows', '0', 'values', 'Quantity'],
      },
      { code: 'INVALID_INPUT', path: ['rows', '1', 'values', 'quantity'] },
      { code: 'INVALID_INPUT', path: ['rows', '2', 'values'] },
      { code: 'INVALID_INPUT', path: ['rows', '3', 'values'] },
      { code: 'INVALID_INPUT', path: ['rows', '4', 'values', 'name'] },
    ]);
    expect(
      await refused({
        rows: [
          { id: two, values },
          { id: two, values },
        ],
      }),
    ).toMatchObject([{ path: ['rows', '1', 'id'] }]);
    expect(await refused({ rows: [] })).toMatchObject([{ code: 'INVALID_INPUT', path: ['rows'] }]);
    const many = Array.from({ length: 10_001 }, (_, i) => ({ id: String(i + 1), values }));
    expect(await refused({ rows: many })).toMatchObject([{ code: 'INVALID_INPUT', path: ['rows'] }]);
    const set = [{ column: 'quantity', expression: '1' }];
    for (const both of [{}, { rows: [{ id: two, values }], set }, { rows: [{ id: two, values }], filter: {} }])
      expect(await refused(both)).toMatchObject([{ code: 'EXACTLY_ONE_MEMBER' }]);
    expect(await refused({ filter: { statuses: ['REPLAYING'] }, set })).toMatchObject([
      { path: ['filter', 'statuses'] },
    ]);
    for (const [state, code] of [
      ['RUNNING', 'STATE_NOT_ALLOWED'],
      ['FAILED', 'STATE_NOT_ALLOWED'],
    ]) {
      const job = await desk.runtime.launch();
      await desk.runtime.pool.query('update sluice.job set state = $2 where id = $1', [job, state]);
      expect(await fix(job, { set })).toMatchObject({ userErrors: [{ code, path: ['jobId'] }] });
    }
    const strange = await desk.runtime.launch({ tenant: 'other' });
    for (const job of [strange, newId()])
      expect(await fix(job, { set })).toMatchObject({ userErrors: [{ code: 'JOB_NOT_FOUND' }] });
    await desk.runtime.pool.query(
      `update sluice.job set spec = jsonb_set(spec, '{steps}', '[{"gone": {}}]') where id = $1`,
      [id],
    );
    expect(await refused({ set })).toMatchObject([{ code: 'EXACTLY_ONE_MEMBER', path: ['steps', '0'] }]);
  });
});

describe('rows fixed by expressions', () => {
  it('see every column as the text that was read, and each other in order', async () => {
    const id = await desk.load(CSV, ORDERS);
    const set = [
      { column: 'quantity', expression: `regexp_replace(quantity, '\\D', '')` },
      { column: 'quantity', expression: `least(CAST(quantity AS INTEGER), 100)` },
      { column: 'name', expression: `upper(name) || quantity` },
    ];
    // The record that was not split has no values; the one without a digit is no number.
    expect(await fix(id, { set, dryRun: false })).toMatchObject({
      userErrors: [],
      rows: 3,
      good: 2,
      bad: 1,
      fixed: 2,
      reasons: [{ code: 'EXPRESSION_FAILED', column: 'quantity', rows: 1 }],
      samples: [{ reasons: [{ code: 'EXPRESSION_FAILED' }] }],
    });
    await replayed(id);
    expect(await rowsOf()).toEqual([
      { id: 1, name: 'a', quantity: 5 },
      { id: 2, name: 'B7', quantity: 7 },
      { id: 3, name: 'C100', quantity: 100 },
    ]);
  });

  it('mend values of JSON records that did not fit their type', async () => {
    const ndjson =
      '{"id": 1, "age": 20, "tags": ["a"]}\n{"id": 9007199254740993, "age": 30, "tags": [1.50]}\n{"id": 3, "age": 40, "tags": []}\n';
    const sink = { postgres: { table: 'orders', createTable: true } };
    const whole = { source: 'ndjson', sink: { postgres: { ...sink.postgres, table: 'copy' } } };
    await desk.load(ndjson, whole);
    const id = await desk.load(
      ndjson.replace('"age": 30', '"age": "30 years"').replace('"age": 40', '"age": "forty"'),
      {
        source: 'ndjson',
        sink,
        // Mixed values are JSON, which has to be an integer here.
        steps: [{ cast: { columns: [{ name: 'age', type: 'BIGINT' }] } }],
      },
    );
    expect(await desk.runtime.job(id)).toMatchObject({ progress: { rowsQuarantined: 2 } });
    const [first, second] = await idsOf(id);
    const set = [{ column: 'age', expression: `to_json(CAST(replace(age ->> '$', ' years', '') AS BIGINT))` }];
    expect(await fix(id, { set, dryRun: false })).toMatchObject({ rows: 2, good: 1, bad: 1, fixed: 1 });
    expect(await fix(id, { rows: [{ id: second, values: { age: 40 } }], dryRun: false })).toMatchObject({ fixed: 1 });
    expect(first).not.toEqual(second);
    await replayed(id);
    expect(await rowsOf()).toEqual(await rowsOf('copy'));
  });

  it('are refused when the expression is none, or reaches for what it may not', async () => {
    const id = await desk.load(CSV, ORDERS);
    const refused = async (column: string, expression: string) =>
      (await fix(id, { set: [{ column, expression }] })).userErrors;
    expect(await refused('nope', '1')).toMatchObject([{ code: 'UNKNOWN_COLUMN', path: ['set', '0', 'column'] }]);
    expect(await refused('name', 'nope + 1')).toMatchObject([
      { code: 'UNKNOWN_COLUMN', path: ['set', '0', 'expression'] },
    ]);
    expect(await refused('name', 'upper(')).toMatchObject([
      { code: 'EXPRESSION_INVALID', path: ['set', '0', 'expression'] },
    ]);
    expect(await refused('name', '')).toMatchObject([{ code: 'INVALID_INPUT', path: ['set', '0', 'expression'] }]);
    for (const evil of ['(SELECT 1)', `read_text('/etc/passwd')`, 'now()', `getenv('HOME')`, '1) AS v, (2'])
      expect(await refused('name', evil), evil).toMatchObject([
        { code: 'EXPRESSION_NOT_ALLOWED', path: ['set', '0', 'expression'] },
      ]);
    expect((await fix(id, { set: [] })).userErrors).toMatchObject([{ path: ['set'] }]);
  });

  it('change nothing when no row fits the filter, or none becomes good', async () => {
    const id = await desk.load(CSV, ORDERS);
    const set = [{ column: 'quantity', expression: `'-1'` }];
    const none = { rows: 0, good: 0, bad: 0, fixed: 0, userErrors: [] };
    expect(await fix(id, { filter: { code: 'NOPE' }, set, dryRun: false })).toMatchObject(none);
    expect(await fix(id, { set, dryRun: false })).toMatchObject({
      rows: 3,
      good: 0,
      bad: 3,
      fixed: 0,
      reasons: [{ code: 'RANGE', column: 'quantity', expectation: 0, rows: 3 }],
    });
    expect(await statuses(id)).toEqual(['OPEN', 'OPEN', 'OPEN', 'OPEN']);
    expect(await ask(REPLAY, { jobId: id })).toMatchObject({ job: null, userErrors: [{ code: 'NOTHING_TO_REPLAY' }] });
  });

  it('leave rows alone that a replay has claimed meanwhile', async () => {
    const id = await desk.load(CSV, ORDERS);
    const set = [{ column: 'quantity', expression: `'1'` }];
    await fix(id, { filter: { code: 'RANGE' }, set, dryRun: false });
    const { changes, isLaid, goOn } = desk.pausedAfterLaying();
    const late = changes.fix(
      { tenant: 'default', name: 'late' },
      { jobId: id, rows: null, filter: null, set, isDryRun: false },
    );
    await isLaid;
    expect(await ask(REPLAY, { jobId: id })).toMatchObject({ rows: 1 });
    goOn();
    expect(await late).toMatchObject({ rows: 3, good: 3, fixed: 2 });
    expect(await statuses(id)).toEqual(['FIXED', 'REPLAYING', 'FIXED', 'OPEN']);
  });

  it('are judged by expectations over all rows among themselves', async () => {
    const unique = { unique: { columns: ['name'] }, severity: 'FAIL' };
    const id = await desk.load(CSV, {
      ...ORDERS,
      expectations: [...ORDERS.expectations, unique, { rowCount: { min: 1 } }],
    });
    const set = [
      { column: 'quantity', expression: `'1'` },
      { column: 'name', expression: `'same'` },
    ];
    expect(await fix(id, { set })).toMatchObject({
      rows: 3,
      good: 1,
      bad: 2,
      reasons: [{ code: 'UNIQUE', expectation: 1 }],
    });
  });
});

describe('rows of a `sql` step', () => {
  it('are no records that could be fixed, and are not replayed', async () => {
    const id = await desk.load(CSV, {
      steps: [{ sql: { query: 'SELECT count(*) AS id FROM input' } }],
      expectations: [{ range: { column: 'id', min: 100 }, severity: 'QUARANTINE' }],
      sink: ORDERS.sink,
    });
    const [, made] = await idsOf(id);
    const [made0] = await desk.runtime.column('select id from sluice.quarantine where job_id = $1 and file is null', [
      id,
    ]);
    expect([made, ...(await idsOf(id))]).toContain(String(made0));
    expect(await fix(id, { rows: [{ id: String(made0), values: { quantity: 1 } }] })).toMatchObject({
      userErrors: [{ code: 'STATE_NOT_ALLOWED', path: ['rows', '0', 'id'] }],
    });
    expect(await ask(REPLAY, { jobId: id, filter: { statuses: ['OPEN'] } })).toMatchObject({
      userErrors: [{ code: 'NOTHING_TO_REPLAY' }],
    });
  });
});

describe('discarded rows', () => {
  it('are given up with a reason, once, and neither fixed nor replayed', async () => {
    const id = await desk.load(CSV, ORDERS);
    const [two, three] = await idsOf(id);
    await fix(id, { rows: [{ id: two, values: { quantity: 1 } }], dryRun: false });
    expect(await discard(id, { filter: { code: 'RANGE' } })).toEqual({ discarded: 1, userErrors: [] });
    expect(await discard(id, { ids: [two, three] })).toMatchObject({ discarded: 1 });
    expect(await discard(id, { ids: [two, three] })).toMatchObject({ discarded: 0, userErrors: [] });
    expect(await statuses(id)).toEqual(['DISCARDED', 'DISCARDED', 'OPEN', 'OPEN']);
    const query = `query ($id: ID!) { quarantine(jobId: $id, first: 1) { edges { node { history { by status before reason } } } } }`;
    expect(await desk.ask(query, { id })).toMatchObject({
      quarantine: {
        edges: [
          {
            node: {
              history: [
                { status: 'FIXED', reason: null },
                { by: 'admin', status: 'DISCARDED', before: '{"id":"2","name":"b","quantity":"1"}', reason: 'No use.' },
              ],
            },
          },
        ],
      },
    });
    expect(await fix(id, { set: [{ column: 'quantity', expression: `'1'` }] })).toMatchObject({ rows: 1 });
    expect(await discard(id, {})).toMatchObject({ discarded: 2 });
    expect(await discard(id, {})).toMatchObject({ discarded: 0, userErrors: [] });
  });

  it('are none that are being replayed or are not there', async () => {
    const id = await desk.load(CSV, ORDERS);
    const [two] = await idsOf(id);
    await fix(id, { rows: [{ id: two, values: { quantity: 1 } }], dryRun: false });
    const { job } = await ask(REPLAY, { jobId: id });
    expect(await discard(id, { ids: [two, '99999'] })).toMatchObject({
      discarded: 0,
      userErrors: [
        { code: 'STATE_NOT_ALLOWED', path: ['ids', '0'], message: expect.stringContaining('being replayed') },
        { code: 'ROW_NOT_FOUND', path: ['ids', '1'] },
      ],
    });
    expect(await discard(id, {})).toMatchObject({ discarded: 3 });
    await desk.run(job?.id ?? '');
    expect(await statuses(id)).toEqual(['REPLAYED', 'DISCARDED', 'DISCARDED', 'DISCARDED']);
    expect(await discard(id, { ids: [two] })).toMatchObject({ userErrors: [{ code: 'STATE_NOT_ALLOWED' }] });
    for (const input of [
      { reason: ' ' },
      { reason: 'x'.repeat(1_001) },
      { ids: [] },
      { ids: [two], filter: {} },
      { reason: '\u0000' },
    ])
      expect((await discard(id, input)).userErrors).toHaveLength(1);
    const running = await desk.runtime.launch();
    expect(await discard(running, {})).toMatchObject({ userErrors: [{ code: 'STATE_NOT_ALLOWED' }] });
    expect(await discard(newId(), {})).toMatchObject({ userErrors: [{ code: 'JOB_NOT_FOUND' }] });
  });
});

describe('bad rows that are fixed and replayed', () => {
  it('make the target that a load of the corrected file makes, and every row is accounted for', async () => {
    const random = seeded(20_261_124);
    const whole = (n: number) => Math.floor(random() * n);
    const clean: string[] = [];
    const dirty: string[] = [];
    // What is done to a record, and how it is mended; every third one stays as it is.
    const harm = ['none', 'none', 'word', 'large', 'short', 'suffix'] as const;
    const harms = Array.from({ length: 300 }, () => harm[whole(harm.length)] ?? 'none');
    for (const [i, what] of harms.entries()) {
      const name = ['plain', '"with, comma"', '"two ""quotes"""', '"line\nbreak"', 'é😀'][whole(5)];
      const quantity = 1 + whole(100);
      clean.push(`${i},${name},${quantity}`);
      if (what === 'none') dirty.push(`${i},${name},${quantity}`);
      if (what === 'word') dirty.push(`${i},${name},many`);
      if (what === 'large') dirty.push(`${i},${name},${quantity * 1000}`);
      if (what === 'short') dirty.push(`${i},${i}`);
      if (what === 'suffix') dirty.push(`${i},${name},${quantity} pcs`);
    }
    const file = (lines: readonly string[]) => `id,name,quantity\n${lines.join('\n')}\n`;
    await desk.load(file(clean), { ...ORDERS, sink: { postgres: { table: 'copy', createTable: true } } });
    const id = await desk.load(file(dirty), ORDERS);
    const bad = harms.filter((what) => what !== 'none').length;
    expect(await desk.runtime.job(id)).toMatchObject({ progress: { rowsRead: 300, rowsQuarantined: bad } });

    const by = (column: string, expression: string, filter: object) =>
      fix(id, { set: [{ column, expression }], filter, dryRun: false });
    expect(await by('quantity', 'CAST(quantity AS INTEGER) // 1000', { code: 'RANGE' })).toMatchObject({ bad: 0 });
    await by('quantity', `replace(quantity, ' pcs', '')`, { code: 'CAST_FAILED', statuses: ['OPEN'] });
    // By hand what no expression knows.
    const { rows } = await desk.runtime.pool.query<{ id: bigint; line: string }>(
      `select id, coalesce(case when raw like '{%' then raw::json ->> 'id' end, split_part(raw, ',', 1)) as line
       from sluice.quarantine where job_id = $1 and status = 'OPEN'`,
      [id],
    );
    const { rows: truth } = await desk.runtime.pool.query<{ id: number }>('select * from copy');
    const values = new Map(truth.map((row) => [String(row.id), row]));
    const answer = await fix(id, {
      rows: rows.map((row) => ({ id: String(row.id), values: values.get(row.line) })),
      dryRun: false,
    });
    expect(answer).toMatchObject({ rows: rows.length, good: rows.length, fixed: rows.length, userErrors: [] });
    const replay = await replayed(id);
    expect(await rowsOf()).toEqual(await rowsOf('copy'));
    expect(await desk.runtime.job(replay)).toMatchObject({ progress: { rowsRead: bad, rowsLoaded: bad } });
    const query = `query ($id: ID!) { quarantineGroups(jobId: $id) { counts { status rows } } }`;
    expect(await desk.ask(query, { id })).toEqual({
      quarantineGroups: { counts: [{ status: 'REPLAYED', rows: bad }] },
    });
  });
});
