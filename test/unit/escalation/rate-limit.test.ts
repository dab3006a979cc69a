import { expect, it } from 'vitest';
import { createRateLimit } from '../../../escalation/rate-limit.js';
import { ManualClock } from '../../support/manual-clock.js';

it('lets a burst through, then so many a second, each key for itself', async () => {
  const clock = new ManualClock();
  const limit = createRateLimit({ perSecond: 10, burst: 3, clock });
  const taken = (key: string) => Array.from({ length: 10 }, () => limit.take(key)).filter((ms) => ms === 0).length;
  expect(taken('a')).toBe(3);
  expect(taken('b')).toBe(3);
  await clock.pass(100);
  expect(taken('a')).toBe(1);
  await clock.pass(60_000);
  expect(taken('a')).toBe(3);
});

it('says when it is worth asking again: for a few calls at once', async () => {
  const clock = new ManualClock();
  const limit = createRateLimit({ perSecond: 10, burst: 3, clock });
  for (let i = 0; i < 3; i++) limit.take('a');
  expect(limit.take('a')).toBe(200);
  await clock.pass(200);
  expect([limit.take('a'), limit.take('a'), limit.take('a')]).toEqual([0, 0, 200]);
});
