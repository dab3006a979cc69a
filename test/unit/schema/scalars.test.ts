import fc from 'fast-check';
import { parseValue as parseLiteral } from 'graphql';
import { describe, expect, test } from 'vitest';
import { DateTimeScalar } from '../../../schema/scalars/date-time.js';
import { DurationScalar } from '../../../schema/scalars/duration.js';
import { JsonScalar } from '../../../schema/scalars/json.js';
import { LongScalar } from '../../../schema/scalars/long.js';

const literal = (scalar: { parseLiteral: typeof JsonScalar.parseLiteral }, text: string): unknown =>
  scalar.parseLiteral(parseLiteral(text), {});

describe('Long', () => {
  test.each([
    [0, 0],
    [9_007_199_254_740_991, 9_007_199_254_740_991],
    [9_007_199_254_740_993n, '9007199254740993'],
    ['42', 42],
    [-9_223_372_036_854_775_808n, '-9223372036854775808'],
  ])('answers %s as %s', (value, answer) => {
    expect(LongScalar.serialize(value)).toBe(answer);
  });

  test.each([1.5, Number.NaN, 2 ** 53, 'x', '1e3', '', true, null, 2n ** 63n, '99999999999999999999'])(
    'refuses %s',
    (value) => {
      expect(() => LongScalar.parseValue(value)).toThrow(/Long/);
    },
  );

  test('takes a literal of any length exactly, as digits or as a string', () => {
    expect(literal(LongScalar, '9007199254740993')).toBe(9_007_199_254_740_993n);
    expect(literal(LongScalar, '"9007199254740993"')).toBe(9_007_199_254_740_993n);
    expect(literal(LongScalar, '7')).toBe(7);
    expect(() => literal(LongScalar, '1.0')).toThrow(/Long/);
  });
});

describe('Duration', () => {
  test.each([
    ['PT30M', 1_800_000],
    ['PT1H', 3_600_000],
    ['P1DT12H', 129_600_000],
    ['P2W', 1_209_600_000],
    ['PT0.5S', 500],
    ['PT0S', 0],
  ])('%s is %d ms', (text, ms) => {
    expect(DurationScalar.parseValue(text)).toBe(ms);
    expect(literal(DurationScalar, `"${text}"`)).toBe(ms);
  });

  test.each(['P', 'PT', '30m', 'P1Y', 'P1M', 'PT-5M', '-PT5M', '', 'PT1.5H', 5, null, 'PT99999999999999H'])(
    'refuses %s',
    (text) => {
      expect(() => DurationScalar.parseValue(text)).toThrow();
    },
  );

  test('comes back as it went', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 ** 11 }), (ms) => {
        expect(DurationScalar.parseValue(DurationScalar.serialize(ms))).toBe(ms);
      }),
    );
  });
});

describe('JSON', () => {
  test('a literal integer beyond 2^53 keeps its digits', () => {
    expect(literal(JsonScalar, '{ id: 9007199254740993, list: [1, 2.5, null, "x"] }')).toEqual({
      id: 9_007_199_254_740_993n,
      list: [1, 2.5, null, 'x'],
    });
  });

  test('a number that a double cannot hold is answered as a string of its digits', () => {
    const value = literal(JsonScalar, '{ big: 9007199254740993, long: 1.00000000000000000001, small: 1.5 }');
    expect(JsonScalar.serialize(value)).toEqual({
      big: '9007199254740993',
      long: '1.00000000000000000001',
      small: 1.5,
    });
  });

  test('a field called __proto__ is only a field', () => {
    const value = literal(JsonScalar, '{ __proto__: { admin: true } }');
    expect(Object.keys(Object(value))).toEqual(['__proto__']);
    expect(Object(value).admin).toBeUndefined();
  });

  test('refuses bare words', () => {
    expect(() => literal(JsonScalar, '{ a: WORD }')).toThrow(/quotes/);
  });
});

test('DateTime answers UTC and refuses what is no moment', () => {
  expect(DateTimeScalar.serialize(new Date('2026-11-23T10:30:00+01:00'))).toBe('2026-11-23T09:30:00.000Z');
  expect(DateTimeScalar.parseValue('2026-11-23T10:30:00+01:00')).toEqual(new Date('2026-11-23T09:30:00Z'));
  for (const text of ['2026-11-23', 'yesterday', '2026-13-01T00:00:00Z', 5]) {
    expect(() => DateTimeScalar.parseValue(text), String(text)).toThrow();
  }
});
