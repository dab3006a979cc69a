import { beforeAll, describe, expect, it } from 'vitest';
import { type EngineHome, engineHome } from '../../support/engine-home.js';

let home: EngineHome;
let source: unknown;
beforeAll(async () => {
  home = await engineHome();
  await home.write('secret.csv', 'x\n1\n');
  source = { records: { ndjson: '{"a":1,"b":"x"}\n{"a":2,"b":null}' } };
});

const PLACES = [
  [
    'derive',
    (expression: string) => ({ steps: [{ derive: { column: 'c', expression } }] }),
    ['steps', 0, 'derive', 'expression'],
  ],
  ['filter', (expression: string) => ({ steps: [{ filter: { expression } }] }), ['steps', 0, 'filter', 'expression']],
  [
    'expectation',
    (expression: string) => ({ expectations: [{ expression: { expression } }] }),
    ['expectations', 0, 'expression', 'expression'],
  ],
] as const;

describe.each(PLACES)('an expression of %s', (_, place, path) => {
  it.each([
    ['a subquery', '(SELECT 1)'],
    ['an IN subquery', 'a IN (SELECT 1)'],
    ['EXISTS', 'EXISTS (SELECT 1)'],
    ['a table function', "(SELECT count(*) FROM read_csv('/etc/passwd'))"],
    ['a file as a table', "(SELECT 1 FROM '/etc/passwd')"],
    ['read_text', "read_text('/etc/passwd')"],
    ['read_csv as a scalar', "read_csv('/etc/passwd')"],
    ['a second statement', '1; DROP TABLE x'],
    ['a semicolon', 'a > 1;'],
    ['PRAGMA', '1; PRAGMA database_list'],
    ['a closing bracket and a comment', '1) AS v FROM duckdb_settings() -- '],
    ['a closing bracket and UNION', '1) UNION SELECT (2'],
    ['a comment that never ends', '1 /*'],
    ['a second expression', '1), (2'],
    ['a star', '*'],
    ['COLUMNS', 'COLUMNS(*)'],
    ['COLUMNS of a pattern', "COLUMNS('a')"],
    ['a qualified star', 'input.*'],
    ['a window', 'row_number() OVER () > 0'],
    ['an aggregate', 'sum(a) > 0'],
    ['a count of everything', 'count(*) > 0'],
    ['getvariable', "getvariable('x') IS NULL"],
    ['current_setting', "current_setting('threads') IS NULL"],
    ['the clock', 'now() IS NULL'],
    ['the date', 'current_date IS NULL'],
    ['a random number', 'random() > 0'],
    ['a UUID', 'uuid() IS NULL'],
    ['a sequence', "nextval('x') > 0"],
    ['getenv', "getenv('HOME') IS NULL"],
    ['a macro of another schema', 'pg_catalog.pg_size_pretty(1) IS NULL'],
    ['a parameter', '$1'],
    ['a positional parameter', '? > 1'],
    ['a positional reference', '#1 = 1'],
    ['FROM', '1 FROM duckdb_settings()'],
    ['WHERE', '1) AS v WHERE (true'],
    ['nothing', ' '],
    ['only a comment', '-- x'],
    ['query()', "query('SELECT 1')"],
    ['an error function', "error('x')"],
    ['a hidden column', '__sluice_rn > 0'],
    ['a hidden column in quotes', '"__sluice_s0" IS NULL'],
    ['a hidden column of the base', '"__sluice_base"."a" IS NULL'],
    ['rowid', 'rowid > 0'],
    ['another column', 'nope > 0'],
  ])('refuses %s', async (_name, expression) => {
    const [failure] = await home.failures({ source, ...place(expression) });
    expect(failure?.path).toEqual(path);
    expect(['EXPRESSION_NOT_ALLOWED', 'EXPRESSION_INVALID', 'UNKNOWN_COLUMN']).toContain(failure?.code);
    expect(failure?.message).not.toContain('/tmp/');
  });

  it.each([
    ['a trailing comment', 'a > 0 -- positive'],
    ['a comment inside', 'a /* the number */ > 0'],
    ['CASE, IN, BETWEEN, LIKE', "CASE WHEN a IN (1, 2) THEN b LIKE '%x%' ELSE a BETWEEN 3 AND 4 END"],
    ['a lambda', 'len(list_filter([a, 1], lambda x: x > 0)) > 0'],
    ['casts and functions', "TRY_CAST(b AS INTEGER) IS NULL AND coalesce(b, '') = trim(coalesce(b, ''))"],
    ['a number that no double holds', 'a < 1e400 AND a < 170141183460469231731687303715884105727'],
    ['columns in quotes, whatever their case', '"A" > 0 AND B IS DISTINCT FROM \'y\''],
  ])('takes %s', async (_name, expression) => {
    await home.run({ source, ...place(expression) });
  });
});

describe('the sql step', () => {
  const refusal = async (query: string) => {
    const [failure] = await home.failures({ source, steps: [{ sql: { query } }] });
    expect(failure?.path).toEqual(['steps', 0, 'sql', 'query']);
    expect(failure?.message).not.toContain('/tmp/');
    return failure?.code;
  };

  it.each([
    ['a file', "SELECT * FROM '/etc/passwd'"],
    ['a file of the data directory', "SELECT * FROM 'secret.csv'"],
    ['read_csv', "SELECT * FROM read_csv('secret.csv')"],
    ['read_text', "SELECT * FROM read_text('/etc/passwd')"],
    ['glob', "SELECT * FROM glob('/*')"],
    ['settings', 'SELECT * FROM duckdb_settings()'],
    ['information_schema', 'SELECT * FROM information_schema.tables'],
    ['the catalogue', 'SELECT * FROM pg_catalog.pg_tables'],
    ['sqlite_master', 'SELECT * FROM sqlite_master'],
    ['the engine’s own table', 'SELECT * FROM sluice_bad'],
    ['the rows of the engine', 'SELECT * FROM sluice_rows_1'],
    ['a qualified input', 'SELECT * FROM main.input'],
    ['a common table named like a function', 'WITH x AS (SELECT 1) SELECT * FROM duckdb_settings()'],
    ['a common table inside that reads a file', "WITH input AS (SELECT * FROM '/etc/passwd') SELECT * FROM input"],
    [
      'a common table that shadows one outside its reach',
      'SELECT * FROM (WITH sluice_bad AS (SELECT 1 AS a) SELECT * FROM sluice_bad) x, sluice_bad',
    ],
    ['a subquery with a file', "SELECT (SELECT max(content) FROM read_text('/etc/passwd')) FROM input"],
    ['a recursive common table', 'WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT * FROM t'],
    ['PIVOT', 'PIVOT input ON a USING count(*)'],
    ['DESCRIBE', 'DESCRIBE input'],
    ['SUMMARIZE', 'SUMMARIZE input'],
    ['SHOW', 'SHOW TABLES'],
    ['two statements', 'SELECT 1; SELECT 2'],
    ['CREATE', 'CREATE TABLE x (a int)'],
    ['COPY', "COPY input TO '/tmp/x'"],
    ['ATTACH', "ATTACH '/tmp/x'"],
    ['INSTALL', 'INSTALL httpfs'],
    ['SET', 'SET threads = 1'],
    ['PRAGMA', 'PRAGMA database_list'],
    ['a closing bracket', 'SELECT 1) UNION (SELECT 2'],
    ['the clock', 'SELECT now() AS t FROM input'],
    ['random numbers', 'SELECT random() AS r FROM input'],
    ['a sample', 'SELECT * FROM input USING SAMPLE 1'],
    ['a hidden column', 'SELECT __sluice_rn FROM input'],
    ['a column of a reserved name', 'SELECT a AS __sluice_x FROM input'],
    ['an unknown column', 'SELECT nope FROM input'],
    ['query_table', "SELECT * FROM query_table('sluice_bad')"],
    ['a lateral table function', 'SELECT * FROM input, read_blob(b)'],
  ])('refuses %s', async (_name, query) => {
    expect([
      'EXPRESSION_NOT_ALLOWED',
      'EXPRESSION_INVALID',
      'UNKNOWN_COLUMN',
      'DUPLICATE_COLUMN',
      'INVALID_INPUT',
    ]).toContain(await refusal(query));
  });

  it.each([
    ['a semicolon at the end', 'SELECT a FROM input ORDER BY a;', [[1], [2]]],
    ['FROM first', 'FROM input SELECT a ORDER BY a', [[1], [2]]],
    ['a common table', 'WITH x AS (SELECT a + 1 AS b FROM input) SELECT * FROM x ORDER BY b', [[2], [3]]],
    ['a join with itself', 'SELECT l.a FROM input l JOIN input r ON l.a = r.a + 1', [[2]]],
    [
      'aggregates and windows',
      'SELECT sum(a) AS s, rank() OVER (ORDER BY a DESC) AS m FROM input GROUP BY a ORDER BY s',
      [
        [1, 2],
        [2, 1],
      ],
    ],
    ['VALUES', 'SELECT * FROM (VALUES (1), (2)) t(v)', [[1], [2]]],
    ['a star', 'SELECT * FROM input WHERE b IS NULL', [[2, null]]],
    ['a comment at the end', 'SELECT a FROM input WHERE a = 1 -- one', [[1]]],
  ])('takes %s', async (_name, query, expected) => {
    const { rows } = await home.run({ source, steps: [{ sql: { query } }] });
    expect(rows.map((row) => Object.values(row))).toEqual(expected);
  });
});
