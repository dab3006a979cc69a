import fc from 'fast-check';
import { around } from './mutate.js';

const anyCase = (word: string) => fc.mixedCase(fc.constant(word));

export const booleans: fc.Arbitrary<string> = around(
  fc.oneof(
    fc
      .constantFrom(
        'true',
        'tru',
        'tr',
        't',
        'false',
        'fals',
        'fal',
        'fa',
        'f',
        'yes',
        'ye',
        'y',
        'no',
        'n',
        'on',
        'of',
        'off',
        'o',
        '1',
        '0',
      )
      .chain(anyCase),
    fc.constantFrom('', '2', '-1', '01', '00', '1.0', 'wahr', 'truee', 'yess', 'onn', 'null', 'T F', '✓'),
  ),
  'truefalsyno01 ',
);

const hyphenated = (hex: string) =>
  [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
const everyFour = (hex: string) => (hex.match(/.{4}/g) ?? []).join('-');

export const uuids: fc.Arbitrary<string> = around(
  fc.uuid().chain((uuid) => {
    const hex = uuid.replaceAll('-', '');
    return fc.constantFrom(
      ...[
        uuid,
        uuid.toUpperCase(),
        hex,
        `{${uuid}}`,
        `{${hex}}`,
        everyFour(hex),
        `{${uuid}`,
        `${uuid}}`,
        `urn:uuid:${uuid}`,
        hex.slice(1),
        `${hex}0`,
      ],
      ...[
        hyphenated(`${hex}`).replace('-', '--'),
        `-${uuid}`,
        `${uuid}-`,
        `${hex.slice(0, 1)}-${hex.slice(1)}`,
        `(${uuid})`,
        '00000000-0000-0000-0000-000000000000',
        '',
      ],
    );
  }),
  '0123456789abcdefABCDEFg-{}',
);

const JSON_EDGES = fc.constantFrom(
  ...[
    '',
    ' ',
    'null',
    'true',
    'True',
    'nul',
    '0',
    '-0',
    '01',
    '1.',
    '.5',
    '+1',
    '1e5',
    '1E+5',
    '1e',
    '1e400',
    '1e-400',
    '1e99999',
    '1e131071',
    '1e131072',
    '0x1',
    'NaN',
    'Infinity',
    '-Infinity',
    '-inf',
    'nan',
  ],
  ...[
    '[]',
    '[1,]',
    '[,1]',
    '[1 2]',
    '[1,,2]',
    '{}',
    '{"a":1,}',
    '{a:1}',
    "{'a':1}",
    '{"a"}',
    '{"a":}',
    '{"a":1 "b":2}',
    '{"a":1}{"b":2}',
    '[1]x',
    '{"a":1,"a":2}',
    '{"":0}',
    '{"b":1,"a":2}',
  ],
  ...[
    '"',
    '"a',
    '"a"b',
    '"\\u00e9"',
    '"\\u0000"',
    '"a\\u0000b"',
    '"\\ud83d\\ude00"',
    '"\\ud800"',
    '"\\udc00"',
    '"\\ud800\\ud800"',
    '"\\u12"',
    '"\\x41"',
    '"\\/"',
    '"\\b\\f\\n\\r\\t"',
    '"\\a"',
    '"\n"',
    '"\t"',
    '"\u0001"',
    '"\u007f"',
    '"\u2028"',
  ],
  ...[
    '// x\n1',
    '1 // x',
    '/* x */ 1',
    '#1',
    '\ufeff1',
    '[1]\u00a0',
    '\u000b1',
    '\f1',
    '1\u0000',
    '[NaN]',
    '[Infinity, -Infinity]',
    '{"a":NaN}',
    '"NaN"',
    '{"NaN":1}',
    '{"a":"x, NaN ]"}',
  ],
  ...[
    '9007199254740993',
    '123456789012345678901234567890',
    '0.1000000000000000055511151231257827',
    '1.0',
    '1.10',
    '-0.0',
    '1.00e2',
    '[1.0,1.00]',
    '{"id":18446744073709551616}',
  ],
  ...[100, 1_000].flatMap((depth) => [
    '['.repeat(depth) + ']'.repeat(depth),
    `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`,
  ]),
);

const spaced = fc
  .json({ maxDepth: 3, stringUnit: 'grapheme' })
  .chain((text) =>
    fc.constantFrom(
      text,
      ` ${text}`,
      `${text}\n`,
      text.replaceAll(',', ' ,\t'),
      text.replaceAll(':', '\r\n: '),
      JSON.stringify(text),
    ),
  );

export const jsons: fc.Arbitrary<string> = around(
  fc.oneof({ weight: 2, arbitrary: spaced }, JSON_EDGES),
  '{}[]",:0123456789.eE+-\\ntfu \t\n/N',
);

const hexText = fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes).toString('hex'));

export const byteas: fc.Arbitrary<string> = around(
  fc.oneof(
    { weight: 2, arbitrary: hexText.map((hex) => `\\x${hex}`) },
    fc.string({ unit: 'grapheme', maxLength: 10 }),
    fc
      .array(
        fc.constantFrom(
          '\\\\',
          '\\000',
          '\\377',
          '\\400',
          '\\101',
          '\\8',
          '\\12',
          '\\',
          'a',
          'é',
          '\\xAA',
          "\\'",
          '\n',
          ' ',
        ),
        { maxLength: 5 },
      )
      .map((all) => all.join('')),
    fc.constantFrom(
      '',
      '\\x',
      '\\X41',
      '\\x4',
      '\\x414',
      '\\x41 42',
      '\\x 41',
      '\\x4 1',
      '\\x41\n42',
      '\\xzz',
      '\\x\\x41',
      'x41',
      ' \\x41',
      '\\x41 ',
      '\\x41\t',
      '\\xAb',
    ),
  ),
  '\\x0123456789abcdefABCDEF ',
);
