import { describe, expect, test } from 'vitest';
import { adminAuthentication, bearerToken, tokenOfPayload } from '../../../src/gateway/auth.js';

const authenticate = adminAuthentication('the-right-token-0123');

describe('the administrator', () => {
  test('is known by the whole token only', () => {
    expect(authenticate('the-right-token-0123')?.caller).toEqual({ tenant: 'default', name: 'admin' });
    for (const token of [
      undefined,
      '',
      'the-right-token-012',
      'the-right-token-01234',
      'The-right-token-0123',
      '\u0000',
    ])
      expect(authenticate(token), JSON.stringify(token)).toBeUndefined();
  });
});

test.each([
  ['Bearer abc', 'abc'],
  ['bearer  abc ', 'abc'],
  ['Bearer a b', undefined],
  ['Bearerabc', undefined],
  ['Basic abc', undefined],
  ['', undefined],
  [undefined, undefined],
  [['Bearer abc'], undefined],
])('%o holds the token %s', (header, token) => {
  expect(bearerToken(header)).toBe(token);
});

test.each([
  [{ authorization: 'Bearer abc' }, 'abc'],
  [{ Authorization: 'Bearer abc' }, 'abc'],
  [{ token: 'abc' }, 'abc'],
  [{ token: { toString: 'abc' } }, undefined],
  [{}, undefined],
  [undefined, undefined],
])('the payload %o holds the token %s', (payload, token) => {
  expect(tokenOfPayload(payload)).toBe(token);
});
