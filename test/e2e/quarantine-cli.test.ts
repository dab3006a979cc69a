import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { SluiceError } from '../../src/core/errors.js';
import type { QuarantinedRow } from '../../src/jobs/job.js';
import { TOKEN, testGateway } from '../support/gateway.js';
import { aJob } from '../support/stub-jobs.js';
import { stubQuarantine } from '../support/stub-quarantine.js';
import { runCli } from './run-cli.js';

// Every test starts processes of its own, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const ID = aJob().id;
const row: QuarantinedRow = {
  id: '7',
  jobId: ID,
  chunk: 0,
  rowNumber: 2,
  file: 'file:orders.csv',
  reasons: [{ column: 'quantity', code: 'CAST_FAILED', message: '"x" is no INTEGER.' }],
  raw: '{"id":"2","quantity":"x"}',
  status: 'OPEN',
  fixedValues: null,
  history: [],
  replayJobId: null,
  originId: null,
  createdAt: new Date('2026-11-23T09:30:00Z'),
};
const calls: unknown[][] = [];
const LINES = ['{"id":"7","values":{"quantity":"x"}}\n', '{"id":"8","values":{"quantity":9007199254740993}}\n'];

const gateway = await testGateway({
  quarantine: stubQuarantine({
    list: async (_caller, filter) => {
      calls.push(['list', filter]);
      return { items: [{ cursor: 'c', node: row }], hasNextPage: true, totalCount: 2 };
    },
    groups: async () => ({
      groups: [{ code: 'CAST_FAILED', column: 'quantity', expectation: null, rows: 2, sample: row }],
      totalGroups: 1,
      counts: [{ status: 'OPEN', rows: 2 }],
    }),
    async download(_caller, filter) {
      calls.push(['download', filter]);
      if (filter.jobId !== ID) throw new SluiceError('JOB_NOT_FOUND', `There is no job ${filter.jobId}.`);
      return (async function* () {
        yield* LINES;
      })();
    },
    fix: async (_caller, input) => {
      calls.push(['fix', input]);
      const samples = [{ id: '7', reasons: row.reasons, values: row.raw }];
      const reasons = [{ code: 'CAST_FAILED', column: 'quantity', expectation: null, rows: 1 }];
      return { rows: 2, good: 1, bad: 1, fixed: input.isDryRun ? 0 : 1, reasons, samples };
    },
    replay: async (_caller, request) => {
      calls.push(['replay', request]);
      return { job: aJob(), rows: 2, replayed: false };
    },
    discard: async (_caller, filter, reason) => {
      calls.push(['discard', filter, reason]);
      return 2;
    },
  }),
});
const env = { SLUICE_URL: gateway.url, SLUICE_ADMIN_TOKEN: TOKEN };
const cli = (...args: readonly string[]) => runCli(['quarantine', ...args], env);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-cli-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(() => {
  calls.length = 0;
});

describe('sluice quarantine', () => {
  it('lists and groups rows', async () => {
    const [list, groups] = await Promise.all([
      cli('list', ID, '--status', 'open', '--code', 'CAST_FAILED'),
      cli('groups', ID),
    ]);
    expect(list).toMatchObject({ code: 0, out: expect.stringContaining('CAST_FAILED quantity') });
    expect(list.out).toContain('1 of 2');
    expect(calls).toEqual([['list', { jobId: ID, statuses: ['OPEN'], code: 'CAST_FAILED' }]]);
    expect(groups).toMatchObject({ code: 0, out: expect.stringContaining('open 2') });
  });

  it('downloads rows, and fixes them as they are written in the file', async () => {
    const path = join(folder, 'rows.ndjson');
    const [toFile, toPipe, missing] = await Promise.all([
      cli('download', ID, '--out', path, '--status', 'OPEN', '--status', 'FIXED'),
      cli('download', ID),
      cli('download', 'nope'),
    ]);
    expect(toFile.code).toBe(0);
    expect(await readFile(path, 'utf8')).toBe(LINES.join(''));
    expect(calls).toContainEqual(['download', { jobId: ID, statuses: ['OPEN', 'FIXED'] }]);
    expect(toPipe).toMatchObject({ code: 0, out: LINES.join('') });
    expect(missing).toMatchObject({ code: 1, err: expect.stringContaining('There is no job nope.') });

    const fixed = await cli('fix', ID, '--rows', path, '--apply');
    expect(fixed).toMatchObject({
      code: 0,
      out: expect.stringContaining('2 rows: 1 good, 1 bad. 1 are fixed now.'),
    });
    expect(calls.at(-1)).toMatchObject([
      'fix',
      {
        jobId: ID,
        // Digits that no double holds arrive.
        rows: [
          { id: '7', values: { quantity: 'x' } },
          { id: '8', values: { quantity: 9_007_199_254_740_993n } },
        ],
        filter: null,
        set: null,
        isDryRun: false,
      },
    ]);
  });

  it('fixes by expressions, tries only unless told otherwise, and names mistakes of the command', async () => {
    await writeFile(join(folder, 'bad.ndjson'), '{"id":"7","values":{}}\n{"id":"8","values":null}\n');
    const [tried, neither, none, broken] = await Promise.all([
      cli('fix', ID, '--code', 'RANGE', '--set', "quantity=replace(quantity, '=', '')"),
      cli('fix', ID),
      cli('fix', ID, '--set', 'quantity'),
      cli('fix', ID, '--rows', join(folder, 'bad.ndjson')),
    ]);
    expect(tried).toMatchObject({ code: 0, out: expect.stringContaining('--apply stores what is good') });
    expect(calls).toEqual([
      [
        'fix',
        {
          jobId: ID,
          rows: null,
          filter: { code: 'RANGE' },
          set: [{ column: 'quantity', expression: "replace(quantity, '=', '')" }],
          isDryRun: true,
        },
      ],
    ]);
    expect(neither).toMatchObject({ code: 2, err: expect.stringContaining('either --rows or --set') });
    expect(none.code).toBe(2);
    expect(broken).toMatchObject({ code: 2, err: expect.stringContaining('bad.ndjson, line 2') });
  });

  it('replays and discards', async () => {
    const patch = join(folder, 'patch.yaml');
    await writeFile(patch, 'expectations: []\n');
    const [replay, discard, both] = await Promise.all([
      cli('replay', ID, '--patch', patch, '--idempotency-key', 'k', '--json'),
      cli('discard', ID, '--id', '7', '8', '--reason', 'No use.'),
      cli('discard', ID, '--id', '7', '--code', 'RANGE', '--reason', 'x'),
    ]);
    expect(JSON.parse(replay.out)).toMatchObject({ type: 'replay', rows: 2, replayed: false, job: { id: ID } });
    expect(discard).toMatchObject({ code: 0, out: '2 rows are discarded.\n' });
    expect(both.code).toBe(2);
    expect(calls).toContainEqual(['discard', { jobId: ID, ids: ['7', '8'] }, 'No use.']);
    expect(calls).toContainEqual([
      'replay',
      { filter: { jobId: ID }, specPatch: { expectations: [] }, idempotencyKey: 'k' },
    ]);
  });
});
