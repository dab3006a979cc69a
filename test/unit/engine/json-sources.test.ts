import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { type EngineHome, engineHome, isBalanced } from '../../support/engine-home.js';

let home: EngineHome;
beforeAll(async () => {
  home = await engineHome();
});

/** The same records by all three ways in. */
const WAYS: readonly (readonly [string, (lines: readonly string[]) => Promise<unknown>])[] = [
  ['ndjson', async (lines) => ({ ndjson: { uri: await home.write('x.ndjson', `${lines.join('\n')}\n`) } })],
  ['json', async (lines) => ({ json: { uri: await home.write('x.json', `[${lines.join(',\n')}]`) } })],
  ['records', async (lines) => ({ records: { ndjson: lines.join('\n') } })],
];

describe.each(WAYS)('%s', (way, source) => {
  const read = async (...lines: string[]) => {
    const ran = await home.run({ source: await source(lines) });
    expect(isBalanced(ran.evaluation)).toBe(true);
    return { ...ran, types: ran.evaluation.output.map(({ type }) => type) };
  };

  it('keeps every digit of 64-bit and larger integers', async () => {
    const lines = [
      '{"id":9007199254740993,"n":-9223372036854775808,"u":18446744073709551615,"d":12345678901234567890123}',
    ];
    const ran = await read(...lines);
    expect(ran.types).toEqual(['BIGINT', 'BIGINT', 'UBIGINT', 'JSON']);
    expect(ran.lines).toEqual(lines);
  });

  it('keeps the digits of large integers beside fractions and below other objects', async () => {
    const ran = await read('{"v":9007199254740993,"o":{"id":9007199254740993}}', '{"v":0.5,"o":[9007199254740993]}');
    expect(ran.lines.map((line) => line.replaceAll(' ', ''))).toEqual([
      '{"v":9007199254740993,"o":{"id":9007199254740993}}',
      '{"v":0.5,"o":[9007199254740993]}',
    ]);
  });

  it('types a field by all of its values', async () => {
    const ran = await read(
      '{"int":-5,"float":1,"text":"a","flag":true,"mixed":1,"none":null,"list":[1]}',
      '{"int":3,"float":1.5,"text":"1","flag":false,"mixed":"x","none":null,"list":{"a":1}}',
    );
    expect(ran.types).toEqual(['BIGINT', 'DOUBLE', 'VARCHAR', 'BOOLEAN', 'JSON', 'VARCHAR', 'JSON']);
    expect(ran.rows[1]).toEqual({ int: 3, float: 1.5, text: '1', flag: false, mixed: 'x', none: null, list: { a: 1 } });
  });

  it('makes bad rows of what is no object, with the record as it was', async () => {
    const ran = await read('{"a":1}', '7', '"x"', 'null', '[1]', '{"a":2}');
    expect(ran.rows).toEqual([{ a: 1 }, { a: 2 }]);
    expect(ran.bad.map(({ rowNumber, raw, reasons }) => [rowNumber, raw, reasons[0]?.code])).toEqual([
      [2, '7', 'MALFORMED_RECORD'],
      [3, '"x"', 'MALFORMED_RECORD'],
      [4, 'null', 'MALFORMED_RECORD'],
      [5, '[1]', 'MALFORMED_RECORD'],
    ]);
  });

  it('takes any name of a field', async () => {
    const line = JSON.stringify({
      'a.b': 1,
      'x y': 2,
      'q"q': 3,
      'b\\s': 4,
      $: 5,
      '😀é': 6,
      "it's": 7,
      '[0]': 8,
      select: 9,
    });
    expect((await read(line)).rows).toEqual([JSON.parse(line)]);
  });

  it('refuses names that differ only by case, empty and reserved ones', async () => {
    for (const [line, code] of [
      ['{"a":1,"A":2}', 'DUPLICATE_COLUMN'],
      ['{"":1}', 'FILE_UNREADABLE'],
      ['{"__sluice_s0":1}', 'DUPLICATE_COLUMN'],
      ['{}', 'FILE_UNREADABLE'],
    ] as const) {
      const [failure] = await home.failures({ source: await source([line]) });
      expect(failure).toMatchObject({ code, path: ['source'] });
    }
  });

  it('survives deep nesting, and escapes that are no characters', async () => {
    const deep = `{"a":${'['.repeat(2_000)}${']'.repeat(2_000)}}`;
    expect((await read(deep)).evaluation.rowsGood).toBe(1);
    if (way === 'json') {
      const [failure] = await home.failures({ source: await source(['{"a":"\\ud800"}']) });
      expect(failure).toMatchObject({ code: 'FILE_UNREADABLE' });
    } else {
      expect((await read('{"a":"\\ud800"}', '{"a":"x"}')).bad).toMatchObject([{ raw: '{"a":"\\ud800"}' }]);
    }
  });
});

describe('lines of JSON that are broken', () => {
  it('go to quarantine with their text, and the others are read', async () => {
    const content = Buffer.concat([
      Buffer.from('\ufeff{"a":1}\r\nnot json\r\n{"a":\r\n{"a":"'),
      Buffer.from('\xe9"}\r\n', 'latin1'),
      Buffer.from('{"a":"x\u0001y"}\r\n{"a":2}\r\n'),
    ]);
    const ran = await home.run({ source: { ndjson: { uri: await home.write('bad.ndjson', content) } } });
    expect(ran.rows).toEqual([{ a: 1 }, { a: 2 }]);
    expect(ran.bad.map(({ rowNumber }) => rowNumber)).toEqual([2, 3, 4, 5]);
  });

  it('of other types than the sample had are bad, not rounded', async () => {
    const lines = [
      ...Array.from({ length: 200_000 }, () => '{"i":1,"f":0.5}'),
      '{"i":1.5,"f":0.5}',
      '{"i":1,"f":9007199254740993}',
      '{"i":"7","f":1}',
    ];
    const ran = await home.run({ source: { ndjson: { uri: await home.write('late.ndjson', lines.join('\n')) } } });
    expect(ran.bad.map(({ rowNumber, reasons }) => [rowNumber, reasons[0]?.column, reasons[0]?.code])).toEqual([
      [200_001, 'i', 'CAST_FAILED'],
      [200_002, 'f', 'CAST_FAILED'],
    ]);
  });
});

it.each([
  ['an object', '{"a":1}', /`ndjson` source/],
  ['a file that ends too early', '[{"a":1},{"a":', /malformed near record/],
  ['something behind the array', '[{"a":1}] x', /malformed/],
  ['Latin-1', Buffer.from('[{"a":"\xe9"}]', 'latin1'), /UTF-8/],
  ['an empty array', '[]', /no JSON object/],
  ['nothing', '', /no JSON object/],
])('a JSON file that is %s is refused with a reason', async (_, content, message) => {
  const uri = await home.write('odd.json', content);
  const [failure] = await home.failures({ source: { json: { uri } } });
  expect(failure).toMatchObject({ code: 'FILE_UNREADABLE', path: ['source'], message: expect.stringMatching(message) });
  expect(failure?.message).not.toContain(home.home);
});

describe('a line of 50 MB is never lost without a word', () => {
  const long = 'y'.repeat(50_000_000);
  it.each<[string, string, string | Buffer, object]>([
    ['csv', 'long.csv', `a,b\n1,x\n2,${long}\n3,z\n`, {}],
    ['csv, as the last line', 'last.csv', `a,b\n1,x\n2,${long}`, {}],
    ['csv, packed', 'long.csv.gz', gzipSync(`a,b\n1,x\n2,${long}\n`, { level: 1 }), {}],
    ['csv, in one quoted value', 'quoted.csv', `a,b\n1,"${'line\n'.repeat(8_000_000)}"\n2,x\n`, {}],
    ['ndjson', 'long.ndjson', `{"a":1}\n{"a":"${long}"}\n`, {}],
    ['json', 'long.json', `[{"a":1},{"a":"${long}"}]`, {}],
  ])('%s', async (way, name, content) => {
    const uri = await home.write(name, content);
    const kind = way.split(',')[0] ?? '';
    const [failure] = await home.failures({ source: { [kind]: { uri } } });
    expect(failure).toMatchObject({
      code: 'FILE_UNREADABLE',
      message: expect.stringMatching(/of more than (15|16) MB/),
    });
  });

  it('and one of 5 MB is a bad row', async () => {
    const uri = await home.write('five.csv', `a,b\n1,x\n2,${'y'.repeat(5_000_000)}\n3,z\n`);
    const ran = await home.run({ source: { csv: { uri } } });
    expect(ran.rows).toHaveLength(2);
    expect(ran.bad).toMatchObject([{ rowNumber: 2, reasons: [{ code: 'LINE_TOO_LONG' }] }]);
  });
});
