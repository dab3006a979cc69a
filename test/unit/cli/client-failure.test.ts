import { describe, expect, it } from 'vitest';
import { refused, subscriptionFailure } from '../../../src/cli/api-failure.js';
import { ClientFailure, complaintText, EXIT, pathText } from '../../../src/cli/client-failure.js';

describe('a complaint', () => {
  it('says where, what and which code', () => {
    const path = ['steps', '0', 'cast', 'columns', '1', 'name'];
    const text = complaintText({ code: 'UNKNOWN_COLUMN', message: 'There is no column "qty".', path });
    expect(text).toBe('steps[0].cast.columns[1].name: There is no column "qty". (UNKNOWN_COLUMN)');
  });

  it('without a path begins with the sentence', () => {
    expect(complaintText({ code: 'X', message: 'No.', path: [] })).toBe('No. (X)');
  });

  it('writes positions in brackets', () => {
    expect(pathText(['expectations', 2])).toBe('expectations[2]');
  });
});

describe('what a gateway answers', () => {
  const url = 'http://127.0.0.1:4000';

  it('is unreachable for a wrong token, with what to do', () => {
    const failure = refused(url, [{ message: 'no', extensions: { code: 'UNAUTHENTICATED' } }]);
    expect(failure.exitCode).toBe(EXIT.unreachable);
    expect(failure.message).toMatch(/--token/);
  });

  it('keeps every GraphQL error with its code', () => {
    const failure = refused(url, [
      { message: 'Field "x" is not defined', extensions: { code: 'BAD_USER_INPUT' } },
      { message: 'Other.' },
    ]);
    expect(failure.exitCode).toBe(EXIT.failed);
    expect(failure.complaints.map(complaintText)).toEqual([
      'Field "x" is not defined. (BAD_USER_INPUT)',
      'Other. (INTERNAL)',
    ]);
  });

  it.each([
    [{ code: 4403, reason: 'Forbidden' }, EXIT.unreachable],
    [{ code: 4401, reason: 'Unauthorized' }, EXIT.unreachable],
    [{ code: 4400, reason: 'Invalid message' }, EXIT.failed],
    [new Error('Unexpected server response: 401'), EXIT.unreachable],
  ])('ends a subscription for good with %o', (thrown, exitCode) => {
    expect(subscriptionFailure(url, thrown)).toMatchObject({ name: 'ClientFailure', exitCode });
  });

  it.each([
    { code: 1006, reason: '' },
    { code: 1001, reason: 'going away' },
    { code: 1012 },
    new Error('ECONNREFUSED'),
  ])('may be tried again after %o', (thrown) => {
    expect(subscriptionFailure(url, thrown)).toMatchObject({ name: 'ConnectionLost' });
  });

  it.each([
    [{ code: 1012 }, true],
    [new Error('Unexpected server response: 503'), true],
    [{ code: 1006, reason: '' }, false],
  ])('knows a gateway that restarts by %o', (thrown, isRestart) => {
    expect(subscriptionFailure(url, thrown)).toMatchObject({ isRestart });
  });

  it('of a GraphQL error in the stream is final', () => {
    const failure = subscriptionFailure(url, [{ message: 'gone', extensions: { code: 'JOB_NOT_FOUND' } }]);
    expect(failure).toBeInstanceOf(ClientFailure);
    expect(failure.message).toBe('gone.');
  });
});
