import fc from 'fast-check';
import { stringify } from 'lossless-json';
import { expect, test } from 'vitest';
import { parseExactJson } from '../../../src/gateway/exact-json.js';

test('gives back every JSON text that JavaScript writes', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
      const text = JSON.stringify(value);
      expect(stringify(parseExactJson(text))).toBe(text);
    }),
  );
});

test('keeps every digit of every integer', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }), (value) => {
      const text = `{"a":[${value}]}`;
      expect(stringify(parseExactJson(text))).toBe(text);
    }),
  );
});

test('keeps every digit of a long decimal', () => {
  const text = '{"price":12345678901234.567890123}';
  expect(stringify(parseExactJson(text))).toBe(text);
});

test.each(['', '{', '[12345678901234567890', '{"a":1234567890123456789,}', `${'['.repeat(200_000)}1234567890123456`])(
  'refuses what is no JSON: %.30s',
  (text) => {
    expect(() => parseExactJson(text)).toThrow();
  },
);

test('a key called __proto__ is only a key', () => {
  const value = parseExactJson('{"__proto__":{"admin":true},"n":12345678901234567890}');
  expect(Object(value).admin).toBeUndefined();
  expect(Object.keys(Object(value))).toEqual(['__proto__', 'n']);
});
