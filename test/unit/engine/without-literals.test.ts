import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.js';
import { withoutLiterals } from '../../../src/engine/expression/without-literals.js';
import { Session } from '../../../src/engine/session.js';
import { WarmInstances } from '../../../src/engine/warm-instances.js';
import { type EngineHome, engineHome } from '../../support/engine-home.js';

let home: EngineHome;
let session: Session;
beforeAll(async () => {
  home = await engineHome();
  const limits = { memoryMb: 300, threads: 1, tempMb: 100 };
  const options = { limits, instances: new WarmInstances(limits), clock: systemClock };
  session = await Session.open(options, { files: [], directories: [] }, home.home, new AbortController().signal);
});
afterAll(() => session.close());

const told = (expression: string) => withoutLiterals(session, `SELECT ${expression} FROM t`);

describe('SQL without literals', () => {
  it.each([
    ["email = 'ann' OR email IN ('bob', 'cy')", "((email = '?') OR (email IN ('?', '?')))"],
    ['CAST(total AS DECIMAL(12,2)) > -1.5e3', "(CAST(total AS DECIMAL(12,2)) > '?')"],
    [`sha256(concat('pepper', "order"))`, `sha256(concat('?', "order"))`],
    ["E'it''s \\' ann'", "'?'"],
    ['$$ann$$', "'?'"],
    ["DATE '2026-01-02'", "CAST('?' AS DATE)"],
    ["kind::ENUM('ann', 'bob')", `CAST(kind AS "ENUM"('?', '?'))`],
    ["{'ann': 1}['ann']", "main.struct_pack(ann := '?')['?']"],
    ['coalesce(note, NULL)', 'COALESCE(note, NULL)'],
    ["1e400 + 'NaN'::DOUBLE /* ann */ -- ann\n", "('?' + CAST('?' AS DOUBLE))"],
    ['170141183460469231731687303715884105727', "'?'"],
    [`'"value":Infinity,"query_location":18446744073709551615'`, "'?'"],
  ])('%s says what is done', async (expression, expected) => {
    expect(await told(expression)).toBe(`SELECT ${expected} FROM t`);
  });

  it('keeps the relations below, and the functions that read', async () => {
    const select = `WITH base AS (SELECT * FROM read_csv(['/data/orders.csv'], delim = ';')) SELECT a FROM base WHERE b > 5 LIMIT 10`;
    expect(await withoutLiterals(session, select)).toBe(
      "WITH base AS (SELECT * FROM read_csv(main.list_value('?'), (delim = '?')))SELECT a FROM base WHERE (b > '?') LIMIT '?'",
    );
  });

  it('is nothing where DuckDB cannot take it apart, or where it is too long', async () => {
    expect(await withoutLiterals(session, 'SELECT FROM')).toBeNull();
    expect(await withoutLiterals(session, 'DROP TABLE x')).toBeNull();
    expect(await told(`'${'x'.repeat(300_000)}'`)).toBeNull();
  });
});

describe('an evaluation', () => {
  const source = { records: { ndjson: '{"id":1,"name":"a"}\n{"id":1,"name":"b"}' } };

  it('tells what it runs before it does, step over all rows by step over all rows', async () => {
    const sqls: string[] = [];
    const pipeline = home.pipelineOf({
      source,
      steps: [
        { filter: { expression: "name <> 'secret-1'" } },
        { deduplicate: { keys: ['id'] } },
        { sql: { query: "SELECT id, 'secret-2' AS label FROM input" } },
        { derive: { column: 'twice', expression: 'id * 2' } },
      ],
    });
    await home.engine.evaluate({
      pipeline,
      stagingDir: await home.stagingDir(),
      withSinkClient: (work) => work({} as never),
      signal: new AbortController().signal,
      onCompiled: async (sql) => {
        sqls.push(sql);
      },
    });
    expect(sqls.map((sql) => sql.split(';\n').length)).toEqual([1, 2, 3]);
    const [, , last = ''] = sqls;
    expect(last.startsWith(`${sqls[0]};\n`)).toBe(true);
    expect(last).toContain(`"name" != '?'`);
    expect(last).toContain('PARTITION BY id');
    expect(last).toContain("(id * '?')");
    expect(last).not.toMatch(/secret|records\.ndjson/);
  });

  it('ends with what became of telling', async () => {
    const evaluating = home.engine.evaluate({
      pipeline: home.pipelineOf({ source }),
      stagingDir: await home.stagingDir(),
      withSinkClient: (work) => work({} as never),
      signal: new AbortController().signal,
      onCompiled: () => Promise.reject(new Error('on purpose')),
    });
    await expect(evaluating).rejects.toThrow('on purpose');
  });
});
