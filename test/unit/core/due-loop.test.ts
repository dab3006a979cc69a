import { describe, expect, it } from 'vitest';
import type { Clock } from '../../../src/core/clock.js';
import { startDueLoop } from '../../../src/core/due-loop.js';
import { createLog, type Log } from '../../../src/core/log.js';

/** A clock whose timers the test fires. */
function handClock() {
  const timers = new Set<{ readonly ms: number; readonly run: () => void }>();
  const clock: Clock = {
    now: () => new Date(0),
    monotonicMs: () => 0,
    after(ms, run) {
      const timer = { ms, run };
      timers.add(timer);
      return { cancel: () => timers.delete(timer) };
    },
    every: () => ({ cancel: () => undefined }),
  };
  return {
    clock,
    waits: () => [...timers].map(({ ms }) => ms),
    fire() {
      for (const timer of [...timers]) {
        timers.delete(timer);
        timer.run();
      }
    },
  };
}

/** What is told at `info` and above. */
function recordingLog(): Log & { readonly told: string[] } {
  const told: string[] = [];
  const note = (level: string) => (_facts: object, message: string) => void told.push(`${level} ${message}`);
  const log = {
    told,
    debug: () => undefined,
    info: note('info'),
    warn: note('warn'),
    error: note('error'),
    child: () => log,
  };
  return log;
}

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
const log = createLog('silent');

describe('a due loop', () => {
  it('waits until the next row is due, but never longer than its poll', async () => {
    const { clock, waits, fire } = handClock();
    const answers: (number | null)[] = [300, null, 90_000, -5];
    const loop = startDueLoop({ name: 'test', work: async () => answers.shift() ?? null, pollMs: 2_000, clock, log });
    const seen: number[] = [];
    for (let i = 0; i < 4; i++) {
      await settle();
      seen.push(...waits());
      fire();
    }
    await settle();
    expect(seen).toEqual([300, 2_000, 2_000, -5]);
    await loop.stop();
    expect(waits()).toEqual([]);
  });

  it('works again at once when it is woken while it works, and only one round at a time', async () => {
    const { clock } = handClock();
    let running = 0;
    let rounds = 0;
    let most = 0;
    const loop = startDueLoop({
      name: 'test',
      async work() {
        most = Math.max(most, ++running);
        rounds += 1;
        await settle();
        running -= 1;
        return null;
      },
      pollMs: 2_000,
      clock,
      log,
    });
    loop.wake();
    loop.wake();
    for (let i = 0; i < 5; i++) await settle();
    expect({ rounds, most }).toEqual({ rounds: 2, most: 1 });
    loop.wake();
    await loop.stop();
    expect(rounds).toBe(3);
    loop.wake();
    await settle();
    expect(rounds).toBe(3);
  });

  it('outlives a round that fails', async () => {
    const { clock, fire } = handClock();
    let rounds = 0;
    const loop = startDueLoop({
      name: 'test',
      async work() {
        if (++rounds === 1) throw new Error('on purpose');
        return null;
      },
      pollMs: 2_000,
      clock,
      log,
    });
    await settle();
    fire();
    await settle();
    expect(rounds).toBe(2);
    await loop.stop();
  });

  it('tells once that it fails, and once that it works again', async () => {
    const { clock, fire } = handClock();
    const log = recordingLog();
    let rounds = 0;
    const loop = startDueLoop({
      name: 'test',
      async work() {
        if (++rounds <= 3) throw new Error('on purpose');
        return null;
      },
      pollMs: 2_000,
      clock,
      log,
    });
    for (let i = 0; i < 5; i++) {
      await settle();
      fire();
    }
    await settle();
    expect(log.told).toEqual(['warn a due loop failed and tries again', 'info a due loop works again']);
    await loop.stop();
  });
});
