import { get } from 'node:http';
import { beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../src/core/ids.js';
import { startSweeper } from '../../src/jobs/sweeper.js';
import { eventually } from '../support/eventually.js';
import { TOKEN } from '../support/gateway.js';
import { type QuarantineDesk, quarantineDesk } from '../support/quarantine-desk.js';

let desk: QuarantineDesk;
beforeAll(async () => {
  desk = await quarantineDesk();
});

const ORDERS = {
  steps: [{ cast: { columns: [{ name: 'quantity', type: 'INTEGER' }] } }],
  expectations: [
    { range: { column: 'quantity', min: 1, max: 100 }, severity: 'QUARANTINE' },
    { notNull: { column: 'name' }, severity: 'QUARANTINE' },
  ],
};
const sink = (table: string) => ({ sink: { postgres: { table, createTable: true } } });
const CSV = 'id,name,quantity\n1,a,5\n2,b,x\n3,c,500\n4,,700\n5,e,y\n6,short\n';

async function download(path: string, headers: Record<string, string> = { authorization: `Bearer ${TOKEN}` }) {
  const response = await fetch(`${desk.gateway.url}${path}`, { headers });
  const text = await response.text();
  return {
    response,
    lines: () =>
      text
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line)),
  };
}

describe('the quarantine of a job', () => {
  let id: string;
  beforeAll(async () => {
    id = await desk.load(CSV, { ...ORDERS, ...sink('orders') });
  });

  const GROUPS = `query ($id: ID!, $filter: QuarantineFilter, $first: Int) { quarantineGroups(jobId: $id, filter: $filter, first: $first) {
    totalGroups groups { code column expectation rows sample { rowNumber raw } } counts { status rows } } }`;

  it('is grouped by what is wrong, a row with two reasons in two groups', async () => {
    const { quarantineGroups } = await desk.ask(GROUPS, { id });
    expect(quarantineGroups).toEqual({
      totalGroups: 4,
      groups: [
        {
          code: 'CAST_FAILED',
          column: 'quantity',
          expectation: null,
          rows: 2,
          sample: { rowNumber: 2, raw: expect.stringContaining('"x"') },
        },
        {
          code: 'RANGE',
          column: 'quantity',
          expectation: 0,
          rows: 2,
          sample: { rowNumber: 3, raw: expect.any(String) },
        },
        {
          code: 'NOT_NULL',
          column: 'name',
          expectation: 1,
          rows: 1,
          sample: { rowNumber: 4, raw: expect.any(String) },
        },
        {
          code: 'TOO_FEW_COLUMNS',
          column: 'quantity',
          expectation: null,
          rows: 1,
          sample: { rowNumber: 6, raw: '6,short' },
        },
      ],
      counts: [{ status: 'OPEN', rows: 5 }],
    });
    expect(await desk.ask(GROUPS, { id, filter: { code: 'RANGE' }, first: 1 })).toMatchObject({
      quarantineGroups: { totalGroups: 1, groups: [{ rows: 2 }], counts: [{ rows: 2 }] },
    });
    expect(await desk.ask(GROUPS, { id, filter: { statuses: ['DISCARDED'] } })).toEqual({
      quarantineGroups: { totalGroups: 0, groups: [], counts: [] },
    });
  });

  it('is listed by status, code and column', async () => {
    const query = `query ($id: ID!, $filter: QuarantineFilter) { quarantine(jobId: $id, filter: $filter) {
      totalCount edges { node { rowNumber status fixedValues history { by } replayJobId originId } } } }`;
    const numbers = async (filter: object) => {
      const { quarantine } = await desk.ask(query, { id, filter });
      const { edges } = quarantine as { edges: { node: { rowNumber: number } }[] };
      return edges.map(({ node }) => node.rowNumber);
    };
    expect(await numbers({})).toEqual([2, 3, 4, 5, 6]);
    expect(await numbers({ statuses: ['OPEN'], column: 'quantity' })).toEqual([2, 3, 4, 5, 6]);
    // Of the fourth row one reason has the code and another one has the column.
    expect(await numbers({ code: 'RANGE', column: 'name' })).toEqual([]);
    expect(await numbers({ statuses: ['FIXED', 'REPLAYED'] })).toEqual([]);
    expect(await desk.ask(query, { id, filter: { code: 'TOO_FEW_COLUMNS' } })).toEqual({
      quarantine: {
        totalCount: 1,
        edges: [
          { node: { rowNumber: 6, status: 'OPEN', fixedValues: null, history: [], replayJobId: null, originId: null } },
        ],
      },
    });
  });

  it('of an unknown job, or of one of another tenant, is an error', async () => {
    const foreign = await desk.runtime.launch({ tenant: 'other' });
    for (const stranger of [newId(), foreign, 'x']) {
      const { errors } = await desk.gateway.ask(GROUPS, { id: stranger });
      expect(errors).toMatchObject([{ extensions: { code: 'JOB_NOT_FOUND' } }]);
      const { response } = await download(`/jobs/${stranger}/quarantine.ndjson`);
      expect(response.status).toBe(404);
    }
  });

  it('is downloaded as one JSON object a row', async () => {
    const { response, lines } = await download(`/jobs/${id}/quarantine.ndjson`);
    expect(response.headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8');
    expect(lines()).toHaveLength(5);
    expect(lines()[0]).toEqual({
      id: expect.stringMatching(/^\d+$/),
      rowNumber: 2,
      file: expect.stringMatching(/^file:/),
      status: 'OPEN',
      reasons: [{ column: 'quantity', code: 'CAST_FAILED', message: expect.any(String) }],
      history: [],
      replayJobId: null,
      originId: null,
      createdAt: expect.stringMatching(/Z$/),
      raw: '{"id":"2","name":"b","quantity":"x"}',
      values: { id: '2', name: 'b', quantity: 'x' },
      fixedValues: null,
    });
    expect(lines()[4]).toMatchObject({ raw: '6,short', values: null });
    const some = await download(`/jobs/${id}/quarantine.ndjson?status=open,fixed&code=RANGE&column=quantity`);
    expect(some.lines().map(({ rowNumber }) => rowNumber)).toEqual([3, 4]);
    expect((await download(`/jobs/${id}/quarantine.ndjson?status=REPLAYED`)).lines()).toEqual([]);
  });

  it('is downloaded by who may, with parameters that there are', async () => {
    expect((await download(`/jobs/${id}/quarantine.ndjson`, {})).response.status).toBe(401);
    for (const bad of ['status=NEW', 'state=OPEN', 'code=a&code=b', 'code=%00']) {
      expect((await download(`/jobs/${id}/quarantine.ndjson?${bad}`)).response.status).toBe(400);
    }
  });

  it('keeps the digits of JSON records, and puts each on one line', async () => {
    const content = '[{"id": 9007199254740993,\n "amount": "x"}, {"id": 1, "amount": "2"}]';
    const json = await desk.load(content, {
      source: 'json',
      steps: [{ cast: { columns: [{ name: 'amount', type: 'INTEGER' }] } }],
      ...sink('amounts'),
    });
    const text = await (
      await fetch(`${desk.gateway.url}/jobs/${json}/quarantine.ndjson`, {
        headers: { authorization: `Bearer ${TOKEN}` },
      })
    ).text();
    expect(text.trim().split('\n')).toHaveLength(1);
    expect(text).toMatch(/"values":\{"id": ?9007199254740993,/);
  });
});

describe('a quarantine of 100,000 rows', () => {
  it('streams page by page, and stops reading when its reader leaves', async () => {
    const { pool } = desk.runtime;
    const id = await desk.runtime.launch();
    await pool.query(
      `insert into sluice.quarantine (tenant, job_id, chunk, row_number, file, reasons, raw)
       select 'default', $1, 0, n, 'file:x.csv', '[]', '{"id":"' || n || '"}' from generate_series(1, 100000) as n`,
      [id],
    );
    let rows = 0;
    let isInOrder = true;
    const response = await fetch(`${desk.gateway.url}/jobs/${id}/quarantine.ndjson`, {
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    let rest = '';
    for await (const piece of response.body ?? []) {
      const lines = (rest + Buffer.from(piece).toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        isInOrder &&= line.includes(`"rowNumber":${rows + 1},`);
        rows += 1;
      }
    }
    expect([rows, isInOrder, rest]).toEqual([100_000, true, '']);

    // Nobody reads: only what the sockets hold is fetched, and when the reader leaves, no more.
    const { read } = desk.runtime.stores.quarantine;
    let pages = 0;
    desk.runtime.stores.quarantine.read = (...request: Parameters<typeof read>) => {
      pages += 1;
      return read(...request);
    };
    try {
      const request = get(`${desk.gateway.url}/jobs/${id}/quarantine.ndjson`, {
        headers: { authorization: `Bearer ${TOKEN}` },
      });
      const started = new Promise<void>((resolve) => request.on('response', (message) => message.pause() && resolve()));
      request.on('error', () => undefined);
      await started;
      let before = -1;
      await eventually(async () => {
        const isStill = pages === before;
        before = pages;
        await new Promise((resolve) => setTimeout(resolve, 50));
        return isStill && pages > 0;
      });
      expect(pages).toBeLessThan(180);
      request.destroy();
    } finally {
      desk.runtime.stores.quarantine.read = read;
    }
  });
});

describe('old rows', () => {
  it('are removed in batches when their job has ended long ago, but not while they are replayed', async () => {
    const { pool, stores, launch, column } = desk.runtime;
    const states = ['SUCCEEDED', 'FAILED', 'RUNNING', 'SUCCEEDED'];
    const jobs: string[] = [];
    for (const [i, state] of states.entries()) {
      const id = await launch();
      jobs.push(id);
      await pool.query(
        `update sluice.job set state = $2, finished_at = statement_timestamp() - $3 * interval '1 day' where id = $1`,
        [id, state, i === 3 ? 29 : 31],
      );
    }
    const gone = newId();
    for (const id of [...jobs, gone])
      await pool.query(
        `insert into sluice.quarantine (tenant, job_id, chunk, row_number, reasons, raw, status, created_at)
         select 'default', $1, 0, n, '[]', '', case n when 1 then 'REPLAYING' when 2 then 'REPLAYED' else 'OPEN' end,
           statement_timestamp() - case n when 3 then interval '29 days' else interval '32 days' end
         from generate_series(1, 1502) as n`,
        [id],
      );
    const left = async () =>
      Promise.all(
        [...jobs, gone].map(async (id) =>
          (await column('select count(*)::int from sluice.quarantine where job_id = $1', [id])).at(0),
        ),
      );
    expect(await stores.sweep.removeOldQuarantine(30, 1_000)).toBe(1_000);
    const { context } = await desk.worker();
    const forEver = startSweeper(context, stores.sweep, 0);
    const before = await left();
    await forEver.stop();
    expect(await left()).toEqual(before);
    const sweeper = startSweeper(context, stores.sweep, 30);
    // Of each of those that may go, the one that is replayed and the one that is young stay.
    await eventually(async () => JSON.stringify(await left()) === JSON.stringify([2, 2, 1502, 1502, 2]));
    await sweeper.stop();
    expect(await stores.sweep.removeOldQuarantine(30, 1_000)).toBe(0);
    await pool.query('delete from sluice.quarantine; delete from sluice.job');
  });
});
