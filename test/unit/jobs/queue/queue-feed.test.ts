import { describe, expect, it } from 'vitest';
import { createLog } from '../../../../src/core/log.js';
import { createQueueFeed } from '../../../../src/jobs/queue/queue-feed.js';
import type { QueueStats } from '../../../../src/jobs/queue/queue-stats.js';
import { eventually } from '../../../support/eventually.js';
import { ManualClock, settled } from '../../../support/manual-clock.js';
import { someQueueStats } from '../../../support/stub-steering.js';

/** A feed over figures that the test sets, and a reader of it. */
function aFeed() {
  const clock = new ManualClock();
  const state = { stats: someQueueStats(), reads: 0, fails: false };
  const feed = createQueueFeed({
    async read() {
      state.reads += 1;
      if (state.fails) throw new Error('on purpose');
      return state.stats;
    },
    clock,
    log: createLog('silent'),
  });
  const read = () => {
    const told: QueueStats[] = [];
    const leaving = new AbortController();
    const ended = (async () => {
      for await (const stats of feed.watch('default', leaving.signal)) told.push(stats);
    })();
    const leave = () => {
      leaving.abort();
      return ended;
    };
    return { told, leave };
  };
  const paused = (reason: string) =>
    someQueueStats({ pause: { since: new Date('2026-11-23T09:30:00Z'), by: 'test', reason } });
  return { clock, state, feed, read, paused };
}

describe('the feed of a queue', () => {
  it('reads once for all who watch, and once for all that changes within half a second', async () => {
    const { clock, state, feed, read, paused } = aFeed();
    const [one, two] = [read(), read()];
    await eventually(() => one.told.length === 1 && two.told.length === 1);
    expect(state.reads).toBe(1);
    state.stats = paused('a');
    for (let i = 0; i < 50; i++) feed.notice('default');
    await settled();
    expect(state.reads).toBe(1);
    await clock.pass(499);
    expect(state.reads).toBe(1);
    await clock.pass(1);
    await eventually(() => one.told.length === 2 && two.told.length === 2);
    expect(state.reads).toBe(2);
    await Promise.all([one.leave(), two.leave()]);
  });

  it('is not told of what is as it was, nor of other tenants', async () => {
    const { clock, state, feed, read } = aFeed();
    const reader = read();
    await eventually(() => reader.told.length === 1);
    state.stats = someQueueStats({ at: new Date('2026-11-23T10:00:00Z') });
    feed.notice('other');
    await clock.pass(500);
    expect(state.reads).toBe(1);
    feed.notice('default');
    await clock.pass(500);
    await eventually(() => state.reads === 2);
    await settled();
    expect(reader.told).toHaveLength(1);
    await reader.leave();
  });

  it('finds by itself what nobody has told, also after it could not be read', async () => {
    const { clock, state, read, paused } = aFeed();
    const reader = read();
    await eventually(() => reader.told.length === 1);
    await settled();
    state.fails = true;
    await clock.pass(5_000);
    await eventually(() => state.reads === 2);
    await settled();
    state.fails = false;
    state.stats = paused('found');
    await clock.pass(5_000);
    await eventually(() => reader.told.at(-1)?.pause?.reason === 'found');
    await reader.leave();
  });

  it('reads nothing once its last reader has left', async () => {
    const { clock, state, feed, read } = aFeed();
    const reader = read();
    await eventually(() => reader.told.length === 1);
    await settled();
    feed.notice('default');
    await reader.leave();
    await clock.pass(60_000);
    expect(state.reads).toBe(1);
  });
});
