import { expect, it } from 'vitest';
import { createLog } from '../../src/core/log.js';
import { Shutdown } from '../../src/shutdown.js';
import { ManualClock, settled } from '../support/manual-clock.js';

const log = createLog('silent');
const hanging = () => new Promise<never>(() => {});

/** A shutdown in time that the test moves, and what it has stopped so far. */
function aShutdown() {
  const clock = new ManualClock();
  const shutdown = new Shutdown(clock);
  const stops: string[] = [];
  const stopping = (name: string, takes = async () => {}) =>
    [
      name,
      async () => {
        stops.push(name);
        await takes();
      },
    ] as const;
  return { clock, shutdown, stops, stopping };
}

it('ends all work at the same time, and what it used after it, the last one first', async () => {
  const { shutdown, stops, stopping, clock } = aShutdown();
  let end = () => {};
  shutdown.add(...stopping('database'));
  shutdown.addWork(...stopping('worker', () => new Promise((resolve) => (end = resolve))));
  shutdown.add(...stopping('bus'));
  shutdown.addWork(...stopping('gateway'));
  const run = shutdown.run(log);
  await settled();
  expect(stops).toEqual(['worker', 'gateway']);
  end();
  await run;
  expect(stops).toEqual(['worker', 'gateway', 'bus', 'database']);
  expect(clock.pending).toBe(0);
});

it('tells what clients are connected to at once, and ends it when the work has ended', async () => {
  const { shutdown, stops, stopping, clock } = aShutdown();
  let end = () => {};
  shutdown.add(...stopping('database'));
  shutdown.addEdge(...stopping('gateway'), () => stops.push('told'));
  shutdown.addWork(...stopping('worker', () => new Promise((resolve) => (end = resolve))));
  const run = shutdown.run(log);
  await settled();
  expect(stops).toEqual(['told', 'worker']);
  end();
  await run;
  expect(stops).toEqual(['told', 'worker', 'gateway', 'database']);
  expect(clock.pending).toBe(0);
});

it('tells each part how long it may take, and gives work the grace that it was told', async () => {
  const clock = new ManualClock();
  const shutdown = new Shutdown(clock, 60_000);
  const given: Record<string, number> = {};
  const hangs = (name: string) => (leftMs: number) => {
    given[name] = leftMs;
    return hanging();
  };
  shutdown.add('database', hangs('database'));
  shutdown.addWork('worker', hangs('worker'));
  shutdown.addEdge('gateway', hangs('gateway'), () => {});
  const run = shutdown.run(log);
  await settled();
  await clock.pass(60_000);
  expect(Object.keys(given)).toEqual(['worker']);
  await clock.pass(2_500);
  await run;
  expect(given.worker).toBeGreaterThan(60_000);
  expect(given.gateway).toBe(1_000);
});

it('is over within 10 s whatever hangs, and has told every part', async () => {
  const { shutdown, stops, stopping, clock } = aShutdown();
  shutdown.add(...stopping('server', hanging));
  shutdown.add(...stopping('database', hanging));
  shutdown.addEdge(...stopping('gateway', hanging), () => {});
  for (const name of ['worker', 'deliveries', 'escalations']) shutdown.addWork(...stopping(name, hanging));
  const run = shutdown.run(log);
  await clock.pass(10_000);
  await run;
  expect(stops).toEqual(['worker', 'deliveries', 'escalations', 'gateway', 'database', 'server']);
});

it('goes on when a part fails to stop, and stops each once', async () => {
  const { shutdown, stops, stopping } = aShutdown();
  const failing = () => Promise.reject(new Error('on purpose'));
  shutdown.add(...stopping('database', failing));
  shutdown.addWork('broken', () => {
    throw new Error('on purpose');
  });
  shutdown.addWork(...stopping('worker', failing));
  await Promise.all([shutdown.run(log), shutdown.run(log)]);
  expect(stops).toEqual(['worker', 'database']);
});
