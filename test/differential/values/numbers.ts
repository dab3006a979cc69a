import fc from 'fast-check';
import { around } from './mutate.js';

const SIGN = fc.constantFrom('', '', '-', '+');
const zeros = fc.nat({ max: 40 }).map((n) => '0'.repeat(n));
const digits = (maxLength: number) =>
  fc.array(fc.nat({ max: 9 }), { minLength: 1, maxLength }).map((all) => all.join(''));

/** Spellings of numbers in other languages and places. */
const ODD_NUMBERS = fc.constantFrom(
  ...[
    '',
    '-',
    '+',
    '.',
    '1.',
    '.5',
    '-.5',
    '1e',
    'e5',
    '1e+',
    '1.e2',
    '.e2',
    '--1',
    '+-1',
    '1-',
    '1 2',
    '1,5',
    '1.000,00',
  ],
  ...[
    '1,000',
    '1_000',
    '_1',
    '1_',
    '1__0',
    '1e1_0',
    '0x1A',
    '0X1a',
    '-0x1',
    '0x',
    '0o17',
    '0b101',
    '0x1p4',
    '0x1.8',
    '1L',
    '1d',
    '1f',
    '1%',
  ],
  ...[
    '$1',
    '(1)',
    '1e3',
    '1E3',
    '1e-3',
    '1e0',
    '10e-1',
    '1.0',
    '1.00',
    '00',
    '-0',
    '+0',
    '0.0',
    '-0.0',
    '007',
    '0e0',
    '0e999999',
    '１２',
    '٣',
    '½',
  ],
  ...[
    'NaN',
    'nan',
    '-NaN',
    '+nan',
    'nan(1)',
    'inf',
    '-inf',
    '+inf',
    'Infinity',
    '-Infinity',
    '+Infinity',
    'infinit',
    '∞',
    'true',
    'null',
    'NULL',
    '\\N',
  ],
);

const near = (edge: bigint) => fc.bigInt({ min: -3n, max: 3n }).map((step) => (edge + step).toString());

/** Both ends of a binary integer and of its neighbours. */
export const integers = (bits: number): fc.Arbitrary<string> => {
  const edges = [0n, 1n << BigInt(bits - 1), 1n << BigInt(bits), 1n << 31n, 1n << 63n, 10n ** 19n, 1n << 127n];
  const edge = fc.oneof(...edges.flatMap((value) => [near(value), near(-value)]));
  const padded = fc.tuple(SIGN, zeros, digits(Math.ceil(bits / 3))).map((parts) => parts.join(''));
  return around(fc.oneof({ weight: 3, arbitrary: edge }, padded, ODD_NUMBERS), '0123456789+-.eE_xX ,');
};

const exponent = (most: number) => fc.oneof(fc.integer({ min: -most, max: most }), fc.integer({ min: -12, max: 12 }));
const EXPONENT_MARK = fc.constantFrom('e', 'E', 'e+');

const scientific = (most: number) =>
  fc
    .tuple(
      SIGN,
      digits(20),
      fc.constantFrom('', '.'),
      fc.oneof(digits(20), fc.constant('')),
      EXPONENT_MARK,
      exponent(most),
    )
    .map(([sign, whole, point, fraction, mark, power]) => {
      return `${sign}${whole}${point}${point && fraction}${power < 0 ? mark.slice(0, 1) : mark}${power}`;
    });

/** Numbers around the greatest that fits, and around the half of the last digit that is kept. */
export function decimals(precision: number, scale: number): fc.Arbitrary<string> {
  const greatest = 10n ** BigInt(precision);
  const withPoint = (value: bigint, places: number) => {
    const text = (value < 0n ? -value : value).toString().padStart(places + 1, '0');
    const at = text.length - places;
    return `${value < 0n ? '-' : ''}${text.slice(0, at)}${places > 0 ? '.' : ''}${text.slice(at)}`;
  };
  const atEnd = fc
    .tuple(fc.bigInt({ min: -3n, max: 3n }), fc.constantFrom(1n, -1n), fc.nat({ max: 3 }))
    .map(([step, sign, more]) => withPoint(sign * (greatest * 10n ** BigInt(more) + step * 4n), scale + more));
  const tail = fc.constantFrom(
    '5',
    '4',
    '49',
    '499999999',
    '50',
    '5000000001',
    '9',
    '95',
    '4999999999999999999999999999999999999999',
  );
  const half = fc
    .tuple(SIGN, digits(Math.max(1, precision - scale)), digits(Math.max(1, scale)), tail)
    .map(([sign, whole, kept, rest]) => `${sign}${whole}.${kept.slice(0, scale).padEnd(scale, '0')}${rest}`);
  const plain = fc
    .tuple(SIGN, zeros, digits(precision + 2), digits(scale + 4))
    .map(([s, z, w, f]) => `${s}${z}${w}.${f}`);
  return around(
    fc.oneof(atEnd, { weight: 2, arbitrary: half }, plain, scientific(45), ODD_NUMBERS),
    '0123456789+-.eE_xX ,',
  );
}

/** Numbers without any limit but the server's own: 131,072 digits before the point, 16,383 behind it. */
export const numerics: fc.Arbitrary<string> = around(
  fc.oneof(
    decimals(38, 10),
    scientific(400),
    fc.tuple(digits(300), digits(300)).map(([whole, fraction]) => `${whole}.${fraction}`),
    fc.constantFrom(
      '1e131071',
      '1e131072',
      '9e131071',
      '1e-16383',
      '1e-16384',
      '1e-16382',
      '1e200000',
      '1e-200000',
      '0e200000',
      '1e2147483648',
    ),
  ),
  '0123456789+-.eE_ ',
);

const FLOAT_EDGES: Readonly<Record<'float4' | 'float8', readonly string[]>> = {
  float4: [
    ...[
      '3.4028235e38',
      '3.4028235677973366e38',
      '3.40282357e38',
      '3.4028236e38',
      '1e39',
      '1.17549435e-38',
      '1.1754942e-38',
    ],
    ...['1.4e-45', '7.1e-46', '7e-46', '1e-45', '1e-46', '16777217', '16777219', '0.1', '1e-50'],
  ],
  float8: [
    ...[
      '1.7976931348623157e308',
      '1.7976931348623158e308',
      '1.7976931348623159e308',
      '1.8e308',
      '1e309',
      '2.2250738585072014e-308',
    ],
    ...[
      '2.2250738585072011e-308',
      '4.9e-324',
      '2.5e-324',
      '2.4e-324',
      '1e-324',
      '1e-400',
      '9007199254740993',
      '0.1',
      '0.30000000000000004',
    ],
    '2.4703282292062327208e-324',
  ],
};

export const floats = (type: 'float4' | 'float8'): fc.Arbitrary<string> => {
  const edges = fc.constantFrom(...FLOAT_EDGES[type]);
  const signed = fc.tuple(SIGN, edges).map(([sign, text]) => sign + text);
  const exact = fc.double().map(String);
  const long = fc.tuple(SIGN, digits(60), digits(60)).map(([sign, whole, fraction]) => `${sign}${whole}.${fraction}`);
  const power = type === 'float4' ? 50 : 340;
  return around(fc.oneof(signed, exact, long, scientific(power), ODD_NUMBERS), '0123456789+-.eE_xXnaif ');
};
