import { beforeAll, describe, expect, it } from 'vitest';
import { type EngineHome, engineHome } from '../../support/engine-home.js';

let home: EngineHome;
beforeAll(async () => {
  home = await engineHome();
});

/** What becomes of each text: its value as text, or null when it goes to quarantine. */
async function cast(type: string, texts: readonly string[], options: object = {}): Promise<(string | null)[]> {
  const csv = `n,v\n${texts.map((text, i) => `${i},"${text.replaceAll('"', '""')}"\n`).join('')}`;
  const { rows, bad } = await home.run({
    source: { csv: { uri: await home.write('cast.csv', csv) } },
    steps: [
      { cast: { columns: [{ name: 'v', type, ...options }] } },
      { cast: { columns: [{ name: 'v', type: 'TEXT' }] } },
    ],
  });
  expect(rows.length + bad.length).toBe(texts.length);
  for (const { reasons } of bad) expect(reasons).toMatchObject([{ column: 'v', code: 'CAST_FAILED' }]);
  const found = new Map(rows.map(({ n, v }) => [n, v as string]));
  return texts.map((_, i) => found.get(String(i)) ?? null);
}

describe('text is cast without loss, or the row is set aside', () => {
  it.each<[string, Record<string, string | null>, object?]>([
    [
      'INTEGER',
      {
        '1': '1',
        ' 12 ': '12',
        '+5': '5',
        '-0': '0',
        '007': '7',
        '-2147483648': '-2147483648',
        '2147483648': null,
        '1.5': null,
        '1.0': null,
        '1e3': null,
        '0x1A': null,
        '1_000': null,
        '1,000': null,
        '': null,
        NaN: null,
        Infinity: null,
        true: null,
        '１２': null,
      },
    ],
    ['SMALLINT', { '32767': '32767', '32768': null }],
    [
      'BIGINT',
      {
        '9007199254740993': '9007199254740993',
        '-9223372036854775808': '-9223372036854775808',
        '9223372036854775807': '9223372036854775807',
        '9223372036854775808': null,
      },
    ],
    [
      'DECIMAL',
      {
        '1': '1.00',
        '1.005': '1.01',
        '-1.005': '-1.01',
        '1.00499': '1.00',
        '1e3': '1000.00',
        '8e-40': '0.00',
        '31899066260E-10': '3.19',
        '- ': null,
        '.5': '0.50',
        '5.': '5.00',
        ' 1.5 ': '1.50',
        '9999999999.99': '9999999999.99',
        '9999999999.995': null,
        '10000000000': null,
        '1_000': null,
        '0x1A': null,
        NaN: null,
        Infinity: null,
        '1e400': null,
        '': null,
      },
      { precision: 12, scale: 2 },
    ],
    [
      'DECIMAL',
      {
        '99999999999999999999999999999999999999': '99999999999999999999999999999999999999',
        '-12345678901234567890123456789012345678': '-12345678901234567890123456789012345678',
        '100000000000000000000000000000000000000': null,
      },
      { precision: 38, scale: 0 },
    ],
    [
      'DOUBLE',
      {
        '1.5': '1.5',
        NaN: 'nan',
        Infinity: 'inf',
        '-inf': '-inf',
        '1e400': null,
        '1e-400': null,
        '0e9': '0.0',
        '+-1': null,
        '1_000': null,
        '0x1A': null,
        '1d': null,
        '': null,
      },
    ],
    ['REAL', { '1.5': '1.5', '1e39': null }],
    [
      'BOOLEAN',
      { true: 'true', f: 'false', yes: 'true', '0': 'false', TRUE: 'true', '2': null, maybe: null, '': null },
    ],
    [
      'DATE',
      {
        '2026-01-02': '2026-01-02',
        '0001-01-01': '0001-01-01',
        '9999-12-31': '9999-12-31',
        '2026-1-2': '2026-01-02',
        '0044-03-15 (BC)': '0044-03-15 (BC)',
        infinity: 'infinity',
        '2026-01-02 10:00:00': '2026-01-02',
        '0044-03-15 BC': '0044-03-15 (BC)',
        '-0043-03-15': null,
        '0000-01-01': null,
        '2026-02-30': null,
        '02/03/2026': null,
        '2026-01-02 or so': null,
        today: null,
        '': null,
      },
    ],
    ['DATE', { '02.03.2026': '2026-03-02', '2026-03-02': null, '31.02.2026': null }, { format: '%d.%m.%Y' }],
    ['TIME', { '10:20:30.123456': '10:20:30.123456', '10:20': '10:20:00', '25:00:00': null, '': null }],
    [
      'TIMESTAMP',
      {
        '2026-01-02T10:00:00': '2026-01-02 10:00:00',
        '2026-01-02T10:00Z': '2026-01-02 10:00:00',
        '2026-12-31 23:59:59.9999999': '2027-01-01 00:00:00',
        '0001-01-01 00:00:00': '0001-01-01 00:00:00',
        '9999-12-31 23:59:59.999999': '9999-12-31 23:59:59.999999',
        '1767312000': null,
        '2026-13-01': null,
        '': null,
      },
    ],
    [
      'TIMESTAMPTZ',
      {
        '2026-01-02T10:00:00+02:00': '2026-01-02 08:00:00+00',
        '2026-01-02 10:00:00 Asia/Kolkata': null,
        '2026-01-02 10:00:00': '2026-01-02 10:00:00+00',
        '0009-09-16': '0009-09-16 00:00:00+00',
        x: null,
      },
    ],
    [
      'UUID',
      {
        'A0EEBC99-9c0b-4ef8-bb6d-6bb9bd380a11': 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
        'a-0eebc999c0b4ef8bb6d6bb9bd380a11': null,
        x: null,
      },
    ],
    [
      'JSON',
      {
        '[1,]': null,
        '[NaN]': null,
        '"x, NaN ]"': 'x, NaN ]',
        '{"id":9007199254740993}': '{"id":9007199254740993}',
        '[1,"x"]': '[1,"x"]',
        x: null,
        '{a:1}': null,
      },
    ],
  ])('%s', async (type, expected, options) => {
    expect(await cast(type, Object.keys(expected), options)).toEqual(Object.values(expected));
  });

  it('a number that overflows in an expression', async () => {
    const csv = 'q\n1\n2147483647\n';
    const { rows, bad } = await home.run({
      source: { csv: { uri: await home.write('overflow.csv', csv) } },
      steps: [
        { cast: { columns: [{ name: 'q', type: 'INTEGER' }] } },
        { derive: { column: 't', expression: 'q * 1000000000' } },
        { derive: { column: 'u', expression: 'CAST(t AS INTEGER)' } },
      ],
    });
    expect(rows).toEqual([{ q: 1, t: 1_000_000_000, u: 1_000_000_000 }]);
    expect(bad).toMatchObject([{ rowNumber: 2, reasons: [{ code: 'EXPRESSION_FAILED' }] }]);
  });

  it.each([
    [
      'a derived column',
      {
        steps: [{ derive: { column: 'b', expression: 'CASE WHEN CAST(a AS INT) > 1 THEN 1 ELSE CAST(a AS INT) END' } }],
      },
    ],
    ['a filter', { steps: [{ filter: { expression: 'CAST(a AS INT) > 0 AND CAST(a AS INT) < 9' } }] }],
    [
      'an expectation',
      {
        expectations: [
          { expression: { expression: 'CAST(a AS INT) > 0 AND CAST(a AS INT) < 9' }, severity: 'QUARANTINE' },
        ],
      },
    ],
  ])('an error of what stands twice in %s sets its row aside', async (_name, spec) => {
    const uri = await home.write('twice.csv', 'a\n1\nx\n3\n');
    const { rows, bad } = await home.run({ source: { csv: { uri } }, ...spec });
    expect(rows.map(({ a }) => a)).toEqual(['1', '3']);
    expect(bad.map(({ rowNumber }) => rowNumber)).toEqual([2]);
  });

  it('a division by zero is infinite or null, never an error; NDJSON says so in words', async () => {
    const { rows } = await home.run({
      source: { records: { ndjson: '{"a":1,"b":0}' } },
      steps: [{ derive: { column: 'c', expression: 'a / b' } }, { derive: { column: 'd', expression: 'a // b' } }],
    });
    expect(rows).toEqual([{ a: 1, b: 0, c: 'Infinity', d: null }]);
  });
});
