import fc from 'fast-check';
import { BLANKS } from './mutate.js';

const NASTY = fc.constantFrom(
  ...[
    '',
    ' ',
    '  ',
    '"',
    '""',
    "'",
    ',',
    '\\',
    '\\\\',
    '\\.',
    '\\N',
    '\\n',
    '\\t',
    '\\x41',
    '\\101',
    '\n',
    '\r',
    '\r\n',
    '\n\r',
    '\t',
    '\u000b',
    '\f',
    '\b',
  ],
  ...[
    '\\.\n',
    '\n\\.\n',
    'a\n\\.\nb',
    '\\.\r\n',
    '\u0001\\!',
    'a\n\u0001\\!b',
    'NULL',
    'null',
    '\u0000',
    'a\u0000b',
    '\u0001',
    '\u001f',
    '\u007f',
    '\u0085',
    '\u00a0',
    '\ufeff',
    '\u2028',
  ],
  ...[
    'é',
    'e\u0301',
    'ﬁ',
    'Å',
    'A\u030a',
    '한글',
    '\u1112\u1161\u11ab',
    '😀',
    '👨‍👩‍👧',
    '🇩🇪',
    '\ufffd',
    '\uffff',
    '\u{10ffff}',
    'ß',
    'İ',
    '\u202e',
    'ä ö',
    ' x',
    'x ',
    '\tx\t',
    'x\n',
  ],
  ...['$$', ';--', '{}', '[1]', '0', 'true', '2026-01-02', '\u0000'.repeat(3)],
);

/** No character of Unicode: continuation bytes alone, cut, too long, surrogates, beyond U+10FFFF, Latin-1. */
const INVALID = fc
  .constantFrom(
    ...[
      '80',
      'bf',
      'c0 80',
      'c1 bf',
      'c3',
      'c3 28',
      'e2 82',
      'e2 28 a1',
      'e0 80 80',
      'ed a0 80',
      'ed bf bf',
      'ed a0 bd ed b8 80',
    ],
    ...[
      'f0 9f 98',
      'f0 80 80 80',
      'f4 90 80 80',
      'f5 80 80 80',
      'f8 88 80 80 80',
      'fe',
      'ff',
      'e4',
      'fc',
      'ff fe',
      '61 e9 62',
    ],
  )
  .map((hex) => Buffer.from(hex.replaceAll(' ', ''), 'hex'));

const bytesOf = (text: string): Buffer => Buffer.from(text, 'utf8');

const valid: fc.Arbitrary<Buffer> = fc
  .oneof(
    { weight: 3, arbitrary: fc.array(NASTY, { minLength: 1, maxLength: 4 }).map((all) => all.join('')) },
    fc.string({ unit: 'grapheme', maxLength: 30 }),
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc.string({ maxLength: 8 }),
  )
  .map(bytesOf);

const broken: fc.Arbitrary<Buffer> = fc.tuple(valid, INVALID, valid).map((parts) => Buffer.concat(parts));

const long: fc.Arbitrary<Buffer> = fc
  .tuple(fc.constantFrom('x', 'é', '"', '\n', '\\', 'ab,'), fc.constantFrom(255, 4_096, 65_535, 70_000))
  .map(([piece, times]) => bytesOf(piece.repeat(times)));

export const texts: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 100, arbitrary: valid },
  { weight: 15, arbitrary: broken },
  { weight: 1, arbitrary: long },
);

/** Texts about as long as the limit, in characters of one to four bytes, with blanks at the end. */
export const textsOfLength = (limit: number): fc.Arbitrary<Buffer> => {
  const piece = fc.constantFrom('a', 'é', 'e\u0301', '😀', ' ', '\t', '漢', '\\', '"');
  const end = fc.array(fc.constantFrom(' ', ' ', ...BLANKS), { maxLength: 4 }).map((all) => all.join(''));
  const around = fc.tuple(fc.array(piece, { maxLength: limit + 2 }), end).map(([all, blanks]) => all.join('') + blanks);
  return fc.oneof({ weight: 6, arbitrary: around.map(bytesOf) }, texts);
};

const unquoted = fc
  .array(fc.constantFrom('a', 'é', "'", '\\', ' b'), { minLength: 1, maxLength: 3 })
  .map((all) => all.join(''));
const blank = fc.constantFrom(' ', '  ', '\t');

/** Fields with quotes where RFC 4180 has none; all that are opened are closed again, so that no row swallows the next. */
export const sloppilyQuoted: fc.Arbitrary<string> = fc.oneof(
  fc
    .tuple(unquoted, fc.constantFrom('"', '""', '"x"', '"x"y"'), fc.option(unquoted, { nil: '' }))
    .map((all) => all.join('')),
  fc.tuple(blank, unquoted).map(([before, text]) => `${before}"${text}"`),
  fc.tuple(unquoted, blank).map(([text, behind]) => `"${text}"${behind}`),
  fc.tuple(unquoted, unquoted).map(([text, behind]) => `"${text}"${behind}`),
  unquoted.map((text) => `"${text}"`),
  unquoted,
);
