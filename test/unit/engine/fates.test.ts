import { writeFile } from 'node:fs/promises';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { UserErrors } from '../../../src/core/errors.js';
import { type EngineHome, engineHome, isBalanced, leftIn } from '../../support/engine-home.js';

let home: EngineHome;
beforeAll(async () => {
  home = await engineHome();
});

const csv = async (content: string, name = 'fates.csv') => ({ csv: { uri: await home.write(name, content) } });
const castA = { cast: { columns: [{ name: 'a', type: 'INTEGER' }] } };

describe('what becomes of a row', () => {
  it('is decided by the first step that takes it: filtered before a cast fails, bad after', async () => {
    const source = await csv('a,b\nx,go\n1,go\ny,stay\n2,stay\n');
    const filter = { filter: { expression: "b = 'stay'" } };
    const filterFirst = await home.run({ source, steps: [filter, castA] });
    expect(filterFirst.evaluation).toMatchObject({ rowsFiltered: 2, rowsQuarantined: 1, rowsGood: 1 });
    expect(filterFirst.bad).toMatchObject([{ rowNumber: 3 }]);
    const castFirst = await home.run({ source, steps: [castA, filter] });
    expect(castFirst.evaluation).toMatchObject({ rowsFiltered: 1, rowsQuarantined: 2, rowsGood: 1 });
    expect(castFirst.bad.map(({ rowNumber }) => rowNumber)).toEqual([1, 3]);
  });

  it('lists every reason, and no expectation judges a row that a step has failed', async () => {
    const { bad, evaluation } = await home.run({
      source: await csv('a,b\nx,y\n500,3\n-1,\n'),
      steps: [
        {
          cast: {
            columns: [
              { name: 'a', type: 'INTEGER' },
              { name: 'b', type: 'INTEGER' },
            ],
          },
        },
      ],
      expectations: [
        { range: { column: 'a', min: 0, max: 100 }, severity: 'QUARANTINE' },
        { notNull: { column: 'b' }, severity: 'QUARANTINE' },
      ],
    });
    expect(bad.map(({ reasons }) => reasons.map(({ column, code }) => `${column} ${code}`))).toEqual([
      ['a CAST_FAILED', 'b CAST_FAILED'],
      ['a RANGE'],
      ['a RANGE', 'b NOT_NULL'],
    ]);
    expect(evaluation.expectations).toMatchObject([
      { evaluated: 2, failed: 2, status: 'QUARANTINED' },
      { evaluated: 2, failed: 1, percent: 50, samples: [{ rowNumber: 3, raw: '{"a":"-1","b":null}' }] },
    ]);
  });

  it.each([
    ['FIRST', undefined, ['1a', '2b', 'null-e']],
    ['LAST', undefined, ['1d', '2c', 'null-f']],
    ['FIRST', 'o', ['1d', '2b', 'null-e']],
    ['LAST', 'o', ['1a', '2c', 'null-e']],
  ])('deduplicate keeps the %s by %s; null equals null and never wins', async (keep, orderBy, expected) => {
    const { rows, evaluation } = await home.run({
      source: await csv('k,o,v\n1,5,1a\n2,1,2b\n2,2,2c\n1,3,1d\n,9,null-e\n,,null-f\n'),
      steps: [{ deduplicate: { keys: ['k'], keep, orderBy } }],
    });
    expect(rows.map((row) => row.v).sort()).toEqual(expected);
    expect(evaluation.rowsDeduplicated).toBe(3);
  });

  it('unique counts, quarantines or fails; rows with a null in the key are not judged', async () => {
    const source = await csv('k,v\n1,a\n1,b\n,c\n,d\n2,e\n1,f\n');
    const unique = (severity: string, threshold?: object) => [{ unique: { columns: ['k'] }, severity, threshold }];
    const warned = await home.run({ source, expectations: unique('WARN') });
    expect(warned.evaluation).toMatchObject({ rowsGood: 6, expectations: [{ failed: 2, status: 'WARNED' }] });
    expect(warned.evaluation.expectations[0]?.samples.map(({ rowNumber }) => rowNumber)).toEqual([2, 6]);
    const set = await home.run({ source, expectations: unique('QUARANTINE') });
    expect(set.bad.map(({ rowNumber }) => rowNumber)).toEqual([2, 6]);
    expect(await home.failures({ source, expectations: unique('FAIL') })).toMatchObject([
      { code: 'EXPECTATION_FAILED' },
    ]);
    expect((await home.run({ source, expectations: unique('FAIL', { count: 2 }) })).evaluation.rowsGood).toBe(6);
    expect(await home.failures({ source, expectations: unique('QUARANTINE', { percent: 33 }) })).toMatchObject([
      { code: 'EXPECTATION_FAILED' },
    ]);
    // Two of six are more than 33 %, but six are too few to tell.
    const few = await home.run({ source, expectations: unique('QUARANTINE', { percent: 33, minRows: 7 }) });
    expect(few.evaluation.rowsQuarantined).toBe(2);
  });

  it('stops the job beyond the error budget, with the first bad rows', async () => {
    const source = await csv('a\n1\nx\ny\n2\n');
    const budget = (errorBudget: object) => ({ source, steps: [castA], options: { errorBudget } });
    const [failure] = await home.failures(budget({ count: 1 }));
    expect(failure).toMatchObject({
      code: 'ERROR_BUDGET_EXCEEDED',
      details: { samples: [{ rowNumber: 2 }, { rowNumber: 3 }] },
    });
    expect(await home.failures(budget({ percent: 49, minRows: 4 }))).toHaveLength(1);
    await home.run(budget({ percent: 49, minRows: 5 }));
    await home.run(budget({ count: 2 }));
  });

  it('rowCount counts what will be loaded', async () => {
    const source = await csv('a\n1\nx\n');
    const rowCount = (options: object) => ({ source, steps: [castA], expectations: [{ rowCount: options }] });
    await home.run(rowCount({ min: 1, max: 1 }));
    expect(await home.failures(rowCount({ min: 2 }))).toMatchObject([{ code: 'EXPECTATION_FAILED' }]);
  });

  it('the sql step reshapes, and its rows are judged by their own number', async () => {
    const { evaluation, bad } = await home.run({
      source: await csv('a,b\nx,1\n1,2\n1,3\n2,4\n'),
      steps: [castA, { sql: { query: 'SELECT a, count(*) AS n FROM input GROUP BY a ORDER BY a' } }],
      expectations: [{ range: { column: 'n', min: 2 }, severity: 'QUARANTINE' }],
    });
    expect(evaluation).toMatchObject({ rowsRead: 4, rowsReshaped: 1, rowsQuarantined: 2, rowsGood: 1 });
    expect(bad.map(({ file, rowNumber, raw }) => [file, rowNumber, raw])).toEqual(
      expect.arrayContaining([
        ['file:fates.csv', 1, '{"a":"x","b":"1"}'],
        [null, 2, '{"a":2,"n":1}'],
      ]),
    );
  });

  it('map keeps, nulls, replaces or quarantines what it does not know', async () => {
    const source = await csv('v\na\nz\n""\n,\n'.replace(',\n', '\n'));
    const map = (unmapped: string, more: object = {}) => ({
      source,
      steps: [{ map: { column: 'v', entries: [{ from: 'a', to: 'A' }], unmapped, ...more } }],
    });
    const values = async (spec: Parameters<EngineHome['run']>[0]) => (await home.run(spec)).rows.map(({ v }) => v);
    expect(await values(map('KEEP'))).toEqual(['A', 'z', '', null]);
    expect(await values(map('NULL'))).toEqual(['A', null, null, null]);
    expect(await values(map('DEFAULT', { default: 'D' }))).toEqual(['A', 'D', 'D', null]);
    expect(await values(map('QUARANTINE'))).toEqual(['A', null]);
    expect((await home.run(map('KEEP', { into: 'w' }))).rows[0]).toEqual({ v: 'a', w: 'A' });
  });

  it('normalize works in the order given, on all white space', async () => {
    const { rows } = await home.run({
      source: await csv('v\n" \t Ä  B\u00a0"\n"e\u0301"\n'),
      steps: [{ normalize: { columns: ['v'], operations: ['COLLAPSE_WHITESPACE', 'TRIM', 'LOWER', 'NFC'] } }],
    });
    expect(rows.map(({ v }) => v)).toEqual([expect.stringMatching(/^ä b/), 'é']);
  });
});

describe('many bad rows', () => {
  it('are the same rows whether they are collected while counting or afterwards', async () => {
    const lines = Array.from({ length: 25_000 }, (_, i) => (i % 2 ? `${i}` : `x${i}`));
    const { bad, evaluation } = await home.run({ source: await csv(`a\n${lines.join('\n')}\n`), steps: [castA] });
    expect(evaluation).toMatchObject({ rowsQuarantined: 12_500, rowsGood: 12_500 });
    expect(bad.map(({ rowNumber, raw }) => `${rowNumber} ${raw}`)).toEqual(
      lines.flatMap((line, i) => (i % 2 ? [] : [`${i + 1} {"a":"${line}"}`])),
    );
  });
});

describe('an evaluation', () => {
  const explode = { sql: { query: 'SELECT max(hash(l.a, r.a, x.a)) AS h FROM input l, input r, input x' } };
  const numbers = () => csv(`a\n${Array.from({ length: 20_000 }, (_, i) => i).join('\n')}\n`, 'numbers.csv');

  it('stops when it is told to, with the reason', async () => {
    const controller = new AbortController();
    const running = home.run({ source: await numbers(), steps: [explode] }, controller.signal);
    controller.abort(new Error('cancelled by Ada'));
    await expect(running).rejects.toThrow('cancelled by Ada');
  });

  it('beyond its memory ends in RESOURCE_EXHAUSTED, and disturbs no other', async () => {
    const small = await engineHome({ memoryMb: 80, tempMb: 20 });
    const source = {
      csv: { uri: await small.write('n.csv', `a\n${Array.from({ length: 3_000 }, (_, i) => i).join('\n')}\n`) },
    };
    const query = 'SELECT DISTINCT hash(l.a, r.a) AS h FROM input l, input r';
    const [failed, other] = await Promise.allSettled([
      small.run({ source, steps: [{ sql: { query } }] }),
      home.run({ source: await csv('a\n1\nx\n', 'other.csv'), steps: [castA] }),
    ]);
    expect(failed).toMatchObject({ status: 'rejected', reason: { code: 'RESOURCE_EXHAUSTED' } });
    expect(other).toMatchObject({ status: 'fulfilled', value: { evaluation: { rowsGood: 1, rowsQuarantined: 1 } } });
  });

  it('of a file that changes meanwhile is SOURCE_CHANGED', async () => {
    const source = await csv('a\n1\n', 'changing.csv');
    const pipeline = home.pipelineOf({ source });
    const changing = home.engine.evaluate({
      pipeline,
      stagingDir: await home.stagingDir(),
      signal: new AbortController().signal,
      // Asked after the source was resolved and before it is read.
      withSinkClient: async (work) => {
        await writeFile(`${home.dataDir}/changing.csv`, 'a\n1\n2\n');
        return work({} as Parameters<typeof work>[0]);
      },
    });
    await expect(changing).rejects.toMatchObject({ code: 'SOURCE_CHANGED' });
  });

  it('leaves nothing in its staging folder but parts', async () => {
    const stagingDir = await home.stagingDir();
    const pipeline = home.pipelineOf({ source: await csv('a\n1\nx\n'), steps: [castA] });
    await home.engine.evaluate({
      pipeline,
      stagingDir,
      signal: new AbortController().signal,
      withSinkClient: (work) => work({} as Parameters<typeof work>[0]),
    });
    expect((await leftIn(stagingDir)).sort()).toEqual(['output', 'quarantine']);
  });
});

describe('any small pipeline', () => {
  type Row = Record<string, string | number | null>;
  interface Oracle {
    readonly step: unknown;
    /** What becomes of one row: the next row, or why there is none. */
    readonly run: (row: Row) => Row | 'FILTERED' | 'BAD';
  }
  const isNumber = (value: unknown): value is number => typeof value === 'number';
  const ORACLES: readonly Oracle[] = [
    {
      step: { cast: { columns: [{ name: 'a', type: 'INTEGER' }] } },
      run: (row) =>
        row.a === null || isNumber(row.a) ? row : /^[+-]?\d+$/.test(row.a ?? '') ? { ...row, a: Number(row.a) } : 'BAD',
    },
    {
      step: { filter: { expression: "b <> 'x'" } },
      run: (row) => (row.b === null || row.b === 'x' ? 'FILTERED' : row),
    },
    { step: { filter: { expression: 'a IS NOT NULL' } }, run: (row) => (row.a === null ? 'FILTERED' : row) },
    { step: { default: { columns: [{ name: 'b', value: 'x' }] } }, run: (row) => ({ ...row, b: row.b ?? 'x' }) },
    {
      step: { normalize: { columns: ['b'], operations: ['UPPER'] } },
      run: (row) => ({ ...row, b: row.b === null ? null : String(row.b).toUpperCase() }),
    },
    {
      step: { map: { column: 'b', entries: [{ from: 'y', to: 'z' }], unmapped: 'QUARANTINE' } },
      run: (row) => (row.b === null ? row : row.b === 'y' ? { ...row, b: 'z' } : 'BAD'),
    },
    {
      step: { derive: { column: 'b', expression: "concat(b, '!')" } },
      run: (row) => ({ ...row, b: `${row.b ?? ''}!` }),
    },
  ];

  it('accounts for every row, as a plain program does', async () => {
    const seed = Date.now() % 1_000_000;
    const value = (...values: (string | null)[]) => fc.constantFrom(...values);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ a: value('1', '-7', '', 'q', '2.5', null), b: value('x', 'y', 'Y', '', null) }), {
          maxLength: 12,
        }),
        fc.array(fc.constantFrom(...ORACLES), { maxLength: 4 }),
        fc.boolean(),
        async (rows, oracles, deduplicates) => {
          const text = (v: string | null): string => (v === null ? '' : `"${v}"`);
          const source = await csv(`a,b\n${rows.map(({ a, b }) => `${text(a)},${text(b)}\n`).join('')}`, 'any.csv');
          const steps = [
            ...oracles.map(({ step }) => step),
            ...(deduplicates ? [{ deduplicate: { keys: ['a', 'b'] } }] : []),
          ];
          const ran = await home.run({ source, steps });
          const count = { FILTERED: 0, BAD: 0 };
          const good: string[] = [];
          for (const start of rows) {
            let row: Row | 'FILTERED' | 'BAD' = start;
            for (const { run } of oracles) if (typeof row === 'object') row = run(row);
            if (typeof row === 'object') good.push(JSON.stringify([row.a, row.b]));
            else count[row] += 1;
          }
          const kept = deduplicates ? [...new Set(good)] : good;
          expect(isBalanced(ran.evaluation)).toBe(true);
          expect(ran.evaluation).toMatchObject({
            rowsRead: rows.length,
            rowsFiltered: count.FILTERED,
            rowsQuarantined: count.BAD,
            rowsDeduplicated: good.length - kept.length,
          });
          expect(ran.rows.map(({ a, b }) => JSON.stringify([a, b])).sort()).toEqual([...kept].sort());
          expect(ran.bad).toHaveLength(count.BAD);
        },
      ),
      { seed, numRuns: 40 },
    );
  });
});

it('tells all mistakes of a pipeline at once', () => {
  const parse = () =>
    home.pipelineOf({
      source: { csv: {} },
      steps: [{ drop: {} }, {}, { filter: { expression: '' }, drop: {} }],
      sink: { nope: {} },
    });
  expect(parse).toThrow(UserErrors);
  try {
    parse();
  } catch (error) {
    const paths = error instanceof UserErrors ? error.errors.map(({ path }) => path?.join('.')) : [];
    expect(paths).toEqual(['source.csv.uri', 'steps.0.drop.columns', 'steps.1', 'steps.2', 'sink']);
  }
});
