import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { fingerprintByStage, fingerprintOf, shapeOf } from '../../../../src/jobs/dead-letters/fingerprint.js';

describe('the shape of a message', () => {
  test.each([
    ['Attempt 5 was the last one: no route to 10.0.0.12:5432.', 'Attempt <n> was the last one: no route to <n>.'],
    ['The job 0193A5b0-1111-7abc-8def-0123456789ab is gone.', 'The job <id> is gone.'],
    [
      'duplicate key (id)=(17) in "orders_pkey" at \'x\' or `y`',
      'duplicate key (id)=(<n>) in <value> at <value> or <value>',
    ],
    ["It can't be read; the server doesn't answer.", "It can't be read; the server doesn't answer."],
    ['blob deadbeef01 of facade decade', 'blob <n> of facade decade'],
    ['part  7\n of 2026-11-24 10:00:01.5', 'part <n> of <n>-<n>-<n> <n>'],
    ['', ''],
  ])('of %j is %j', (message, shape) => {
    expect(shapeOf(message)).toBe(shape);
  });

  it('is the same whatever the numbers and ids', () => {
    const seed = Date.now() % 2 ** 31;
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.uuid(), fc.uuid(), (one, other, id, another) => {
        const of = (n: number, uuid: string) => shapeOf(`Part ${n} of job ${uuid} at "${n}" failed.`);
        expect(of(one, id)).toBe(of(other, another));
      }),
      { seed, verbose: 1 },
    );
  });
});

describe('a fingerprint', () => {
  const error = { code: 'POISON', message: '3 workers stopped.' } as const;

  it('tells codes, stages and shapes apart, and nothing else', () => {
    const alike = fingerprintOf({ ...error, message: '4 workers stopped.' }, 'LOADING');
    expect(fingerprintOf(error, 'LOADING')).toBe(alike);
    const others = [
      fingerprintOf(error, null),
      fingerprintOf(error, 'PLANNING'),
      fingerprintOf({ ...error, code: 'RETRIES_EXHAUSTED' }, 'LOADING'),
      fingerprintOf({ ...error, message: 'Workers stopped.' }, 'LOADING'),
    ];
    expect(new Set([alike, ...others]).size).toBe(5);
    expect(alike).toMatch(/^[0-9a-f]{16}$/);
  });

  it('is known for each stage', () => {
    const byStage = fingerprintByStage(error);
    expect(byStage['']).toBe(fingerprintOf(error, null));
    expect(byStage.FINISHING).toBe(fingerprintOf(error, 'FINISHING'));
    expect(Object.keys(byStage)).toHaveLength(5);
  });
});
