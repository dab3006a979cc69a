import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { type EngineHome, engineHome } from '../../support/engine-home.js';

let home: EngineHome;
beforeAll(async () => {
  home = await engineHome();
});

/** Writes a Parquet file with what a query over one row answers. */
async function parquet(name: string, query: string): Promise<string> {
  const { evaluation } = await home.run({
    source: { records: { ndjson: '{"one":1}' } },
    steps: [{ sql: { query } }],
    sink: { parquet: { uri: 'file:out/x.parquet' } },
  });
  const [file] = evaluation.parts.filter(({ kind }) => kind === 'FILE');
  return home.write(name, await readFile(file?.uri ?? ''));
}

describe('several Parquet files', () => {
  beforeAll(async () => {
    for (const name of ['1', '2', '3']) {
      await parquet(`many/${name}.parquet`, `SELECT '${name}' AS file, unnest(generate_series(1, 3)) AS id FROM input`);
    }
  });
  const source = { parquet: { uri: 'file:many/*.parquet' } };

  it('are one after the other in source order: the last row of a key is that of the last file', async () => {
    for (const [keep, file] of [
      ['LAST', '3'],
      ['FIRST', '1'],
    ]) {
      const { rows } = await home.run({ source, steps: [{ deduplicate: { keys: ['id'], keep } }] });
      expect(rows.map((row) => row.file)).toEqual([file, file, file]);
    }
  });

  it('number their rows each for itself', async () => {
    const { bad } = await home.run({
      source,
      expectations: [{ range: { column: 'id', max: 2 }, severity: 'QUARANTINE' }],
    });
    expect(bad.map(({ file, rowNumber }) => [file, rowNumber])).toEqual([
      ['file:many/1.parquet', 3],
      ['file:many/2.parquet', 3],
      ['file:many/3.parquet', 3],
    ]);
  });

  it('of different columns or types are refused', async () => {
    await parquet('odd/1.parquet', 'SELECT 1 AS a, 2 AS b FROM input');
    await parquet('odd/2.parquet', 'SELECT 1 AS a FROM input');
    const [failure] = await home.failures({ source: { parquet: { uri: 'file:odd/*.parquet' } } });
    expect(failure).toMatchObject({ code: 'FILE_UNREADABLE', message: expect.stringContaining('odd/2.parquet') });
    expect(failure?.message).not.toContain(home.home);
  });
});

it('keeps types and digits, and shows numbers exactly in the raw record', async () => {
  const query = `SELECT CAST('NaN' AS DOUBLE) AS f, CAST(9007199254740993 AS BIGINT) AS id,
    CAST('12345678901234567890123456789012345678' AS DECIMAL(38,0)) AS d, make_date(1, 1, 1) AS day FROM input`;
  const source = { parquet: { uri: await parquet('types.parquet', query) } };
  const { lines, evaluation } = await home.run({ source });
  expect(evaluation.output.map(({ type }) => type)).toEqual(['DOUBLE', 'BIGINT', 'DECIMAL(38,0)', 'DATE']);
  expect(lines).toEqual([
    '{"f":"NaN","id":9007199254740993,"d":12345678901234567890123456789012345678,"day":"0001-01-01"}',
  ]);
  const { bad } = await home.run({
    source,
    expectations: [{ range: { column: 'id', max: 1 }, severity: 'QUARANTINE' }],
  });
  expect(bad[0]?.raw).toBe(
    '{"f":"nan","id":9007199254740993,"d":"12345678901234567890123456789012345678","day":"0001-01-01"}',
  );
});
