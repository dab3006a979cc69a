import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { type EngineHome, engineHome, isBalanced } from '../../support/engine-home.js';

let home: EngineHome;
beforeAll(async () => {
  home = await engineHome();
});

let files = 0;
/** Runs over a file with this content. */
async function read(content: string | Buffer, options: object = {}, steps: readonly unknown[] = []) {
  files += 1;
  const uri = await home.write(`file-${files}.csv`, content);
  const ran = await home.run({ source: { csv: { uri, ...options } }, steps });
  expect(isBalanced(ran.evaluation)).toBe(true);
  return ran;
}
async function refusal(content: string | Buffer, options: object = {}) {
  files += 1;
  const uri = await home.write(`file-${files}.csv`, content);
  const [failure] = await home.failures({ source: { csv: { uri, ...options } } });
  return { code: failure?.code, path: failure?.path, message: failure?.message.replace(uri, 'URI') };
}
const values = (ran: { rows: readonly Record<string, unknown>[] }) => ran.rows.map((row) => Object.values(row));
const codes = (ran: { bad: EngineBad }) => ran.bad.map(({ rowNumber, reasons }) => [rowNumber, reasons[0]?.code]);
type EngineBad = Awaited<ReturnType<EngineHome['run']>>['bad'];
const integerA = [{ cast: { columns: [{ name: 'a', type: 'INTEGER' }] } }];

describe('what a CSV file may look like', () => {
  it.each<[string, string | Buffer, object, unknown[][]]>([
    [
      'LF',
      'a,b\n1,2\n3,4\n',
      {},
      [
        ['1', '2'],
        ['3', '4'],
      ],
    ],
    [
      'CRLF',
      'a,b\r\n1,2\r\n3,4\r\n',
      {},
      [
        ['1', '2'],
        ['3', '4'],
      ],
    ],
    ['no line end at the end', 'a,b\n1,2', {}, [['1', '2']]],
    ['a byte order mark', '\ufeffa,b\n1,2\n', {}, [['1', '2']]],
    ['a byte order mark and no header', '\ufeff1,2\n', { header: false }, [['1', '2']]],
    [
      'line breaks and doubled quotes in quotes',
      'a,b\n1,"x\ny\r\nz"\n2,"q""q"\n',
      {},
      [
        ['1', 'x\ny\r\nz'],
        ['2', 'q"q'],
      ],
    ],
    [
      'a carriage return inside the first record',
      '"x\ry",2\n3,4\n',
      { header: false },
      [
        ['x\ry', '2'],
        ['3', '4'],
      ],
    ],
    [
      'a line feed inside the first record of a CRLF file',
      '"x\ny",2\r\n3,4\r\n',
      { header: false },
      [
        ['x\ny', '2'],
        ['3', '4'],
      ],
    ],
    ['a line break inside the header', '"a\rb",c\n1,2\n', {}, [['1', '2']]],
    ['tabs', 'a\tb\n1\t2,3\n', { delimiter: '\t' }, [['1', '2,3']]],
    ['a delimiter beyond ASCII', 'a§b\n1§2\n', { delimiter: '§' }, [['1', '2']]],
    [
      'other quotes',
      "a;b\n1;'x;y'\n2;'it''s'\n",
      { delimiter: ';', quote: "'", escape: "'" },
      [
        ['1', 'x;y'],
        ['2', "it's"],
      ],
    ],
    [
      'backslash escapes',
      'a,b\n1,"x\\"y"\n2,"z\\\\"\n',
      { escape: '\\' },
      [
        ['1', 'x"y'],
        ['2', 'z\\'],
      ],
    ],
    [
      'no quotes',
      'a,b\n1,"x"\n2,"y\n',
      { quote: '' },
      [
        ['1', '"x"'],
        ['2', '"y'],
      ],
    ],
    ['a quote within a value', 'a,b\n1,5" pipe\n', {}, [['1', '5" pipe']]],
    [
      'null and empty text',
      'a,b\n,""\n"",x\n',
      {},
      [
        [null, ''],
        ['', 'x'],
      ],
    ],
    [
      'null strings of its own',
      'a,b\nNULL,"NULL"\n\\N,\n',
      { nullStrings: ['NULL', '\\N'] },
      [
        [null, 'NULL'],
        [null, ''],
      ],
    ],
    ['no header', '1,2\n', { header: false }, [['1', '2']]],
    ['names of its own', 'a,b\n1,2\n', { columns: ['x', 'y'] }, [['1', '2']]],
    ['Latin-1', Buffer.from('a,caf\xe9\n1,\xfcber\n', 'latin1'), { encoding: 'LATIN1' }, [['1', 'über']]],
    ['only a header', 'a,b\n', {}, []],
    ['only a header without line end', 'a,b', {}, []],
    ['one value of 1 MB', `a,b\n1,${'é'.repeat(500_000)}\n`, {}, [['1', 'é'.repeat(500_000)]]],
    [
      'backslashes, `\\N`, `\\.` and emoji',
      'a,b\n\\N,\\.\n\\,😀\n',
      {},
      [
        ['\\N', '\\.'],
        ['\\', '😀'],
      ],
    ],
  ])('%s', async (_, content, options, expected) => {
    const ran = await read(content, options);
    expect(values(ran)).toEqual(expected);
    expect(ran.evaluation).toMatchObject({ rowsRead: expected.length, rowsQuarantined: 0 });
  });

  it('takes gzip, by its name or by option', async () => {
    await home.write('packed.csv.gz', gzipSync('a,b\n1,2\n'));
    await home.write('packed.bin', gzipSync('a,b\n1,2\n'));
    for (const csv of [{ uri: 'file:packed.csv.gz' }, { uri: 'file:packed.bin', compression: 'GZIP' }]) {
      expect(values(await home.run({ source: { csv } }))).toEqual([['1', '2']]);
    }
  });

  it('names the columns of a header with line breaks, quotes and delimiters', async () => {
    const ran = await read('"a\nx","b,""c"""\n1,2\n3\n');
    expect(ran.evaluation.output.map(({ name }) => name)).toEqual(['a\nx', 'b,"c"']);
    expect(codes(ran)).toEqual([[2, 'TOO_FEW_COLUMNS']]);
  });
});

describe('what is refused, with what to do', () => {
  it.each<[string, string | Buffer, object, string, RegExp]>([
    ['an empty file', '', {}, 'FILE_UNREADABLE', /URI is empty/],
    ['blank lines', '\n\n', {}, 'FILE_UNREADABLE', /URI is empty/],
    ['an empty first line', '\na,b\n1,2\n', {}, 'FILE_UNREADABLE', /begins with an empty line/],
    ['a column without a name', 'a,,b\n1,2,3\n', {}, 'FILE_UNREADABLE', /column without a name/],
    ['columns that differ only by case', 'a,A\n1,2\n', {}, 'DUPLICATE_COLUMN', /"a" and "A"/],
    ['a reserved name', '__sluice_rn,b\n1,2\n', {}, 'DUPLICATE_COLUMN', /reserved/],
    ['a Latin-1 header', Buffer.from('a,caf\xe9\n', 'latin1'), {}, 'FILE_UNREADABLE', /LATIN1/],
    ['UTF-16', Buffer.from('\ufeffa,b\n', 'utf16le'), {}, 'FILE_UNREADABLE', /UTF-16/],
    ['gzip under another name', gzipSync('a,b\n'), {}, 'FILE_UNREADABLE', /GZIP/],
    ['broken gzip', gzipSync('a,b\n1,2\n').subarray(0, 20), { compression: 'GZIP' }, 'FILE_UNREADABLE', /gzip/],
    ['text for gzip', 'a,b\n', { compression: 'GZIP' }, 'FILE_UNREADABLE', /gzip/],
    ['mixed line ends', 'a,b\r\n1,2\n3,4\r\n', {}, 'FILE_UNREADABLE', /mixes line ends/],
    [
      'a wrong number of names',
      'a,b\n1,2\n',
      { columns: ['x'] },
      'INVALID_INPUT',
      /1 columns are named, but URI has 2/,
    ],
    ['a delimiter that is a line end', 'a,b\n', { delimiter: '\n' }, 'INVALID_INPUT', /delimiter/],
    ['a delimiter that is the quote', 'a,b\n', { delimiter: '"' }, 'INVALID_INPUT', /differ/],
    ['a quote beyond ASCII', 'a,b\n', { quote: '«' }, 'INVALID_INPUT', /ASCII/],
  ])('%s', async (_, content, options, code, message) => {
    const found = await refusal(content, options).catch((error: unknown) => error);
    if (found instanceof Error) {
      // Found while the options are parsed.
      expect(found).toMatchObject({ errors: [{ code, message: expect.stringMatching(message) }] });
      return;
    }
    expect(found).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(JSON.stringify(found)).not.toContain(home.home);
  });

  it('a missing file, a path outside and a link out', async () => {
    const { symlink } = await import('node:fs/promises');
    await symlink('/etc/hostname', `${home.dataDir}/link.csv`);
    for (const [uri, code] of [
      ['file:missing.csv', 'FILE_NOT_FOUND'],
      ['file:../secret.csv', 'FILE_NOT_ALLOWED'],
      ['file:/etc/passwd', 'FILE_NOT_ALLOWED'],
      ['file:link.csv', 'FILE_NOT_ALLOWED'],
    ]) {
      const [failure] = await home.failures({ source: { csv: { uri } } });
      expect(failure).toMatchObject({ code, path: ['source'] });
    }
  });

  it('files of one source with different headers', async () => {
    await home.write('other/1.csv', 'a,b\n1,2\n');
    await home.write('other/2.csv', 'b,a\n1,2\n');
    const [failure] = await home.failures({ source: { csv: { uri: 'file:other/*.csv' } } });
    expect(failure).toMatchObject({ code: 'FILE_UNREADABLE', message: expect.stringContaining('another header') });
  });
});

describe('rows that are no records go to quarantine', () => {
  it('with code, raw line and record number, among rows that cannot be cast', async () => {
    const lines = ['1,2', '4', '6,7,8', 'x,9', '"q\nr",5', '"u"v,1', '12,13', '15', 'y,1'];
    const ran = await read(`a,b\n${lines.join('\n')}\n`, {}, integerA);
    expect(codes(ran)).toEqual([
      [2, 'TOO_FEW_COLUMNS'],
      [3, 'TOO_MANY_COLUMNS'],
      [4, 'CAST_FAILED'],
      [5, 'CAST_FAILED'],
      [6, 'QUOTE_NOT_CLOSED'],
      [8, 'TOO_FEW_COLUMNS'],
      [9, 'CAST_FAILED'],
    ]);
    expect(ran.bad[0]).toMatchObject({ raw: '4' });
    expect(ran.bad[2]).toMatchObject({ raw: '{"a":"x","b":"9"}', reasons: [{ column: 'a' }] });
    expect(ran.rows).toEqual([
      { a: 1, b: '2' },
      { a: 12, b: '13' },
    ]);
  });

  it('numbered in their own file when there are several', async () => {
    await home.write('many/1.csv', 'a,b\n1,2\n3\nx,4\n');
    await home.write('many/2.csv', 'a,b\ny,2\n3,4,5\n6,7\nz,4\n');
    const ran = await home.run({ source: { csv: { uri: 'file:many/*.csv' } }, steps: integerA });
    expect(ran.bad.map(({ file, rowNumber }) => `${file} ${rowNumber}`)).toEqual([
      'file:many/1.csv 2',
      'file:many/1.csv 3',
      'file:many/2.csv 1',
      'file:many/2.csv 2',
      'file:many/2.csv 4',
    ]);
  });

  it('counted against an independent reading of 30,000 records in two files', async () => {
    const seed = 7;
    let state = seed;
    const random = () => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return state / 2_147_483_648;
    };
    const expected: string[] = [];
    for (const name of ['1.csv', '2.csv']) {
      const lines = Array.from({ length: 15_000 }, (_, i) => {
        const fate = random();
        const number = `file:count/${name} ${i + 1}`;
        if (fate < 0.02) return expected.push(`${number} TOO_FEW_COLUMNS`) && `${i}`;
        if (fate < 0.04) return expected.push(`${number} TOO_MANY_COLUMNS`) && `${i},2,3`;
        if (fate < 0.06) return expected.push(`${number} CAST_FAILED`) && `x${i},2`;
        return fate < 0.1 ? `${i},"two\nlines ${i}"` : `${i},text`;
      });
      await home.write(`count/${name}`, `a,b\n${lines.join('\n')}\n`);
    }
    const ran = await home.run({ source: { csv: { uri: 'file:count/*.csv' } }, steps: integerA });
    expect(ran.evaluation.rowsRead).toBe(30_000);
    expect(ran.bad.map((row) => `${row.file} ${row.rowNumber} ${row.reasons[0]?.code}`)).toEqual(expected);
  });

  it('also for wrong bytes in a column that nobody uses', async () => {
    const latin = Buffer.from('a,b,c\n1,caf\xe9,x\ny,ok,x\n3,\xfcber,x\n4,ok,x\n', 'latin1');
    const ran = await read(latin, {}, [...integerA, { drop: { columns: ['b'] } }]);
    expect(codes(ran)).toEqual([
      [1, 'WRONG_ENCODING'],
      [2, 'CAST_FAILED'],
      [3, 'WRONG_ENCODING'],
    ]);
    expect(ran.rows).toEqual([{ a: 4, c: 'x' }]);
  });

  it('also for wrong bytes in the first record of a file without a header', async () => {
    const ran = await read(Buffer.from('1,caf\xe9\n2,ok\n', 'latin1'), { header: false });
    expect(codes(ran)).toEqual([[1, 'WRONG_ENCODING']]);
    expect(ran.rows).toEqual([{ column0: '2', column1: 'ok' }]);
  });

  it('as one row when a quote is never closed', async () => {
    const ran = await read('a,b\n0,0\n1,"x\n2,y\n3,z\n');
    expect(ran.bad).toMatchObject([{ rowNumber: 2, raw: '1,"x\n2,y\n3,z\n', reasons: [{ code: 'QUOTE_NOT_CLOSED' }] }]);
  });
});
