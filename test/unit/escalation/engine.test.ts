import { expect, it } from 'vitest';
import { startEscalationEngine } from '../../../escalation/engine.js';
import type { EscalationStore, JobActions, PolicyStore } from '../../../escalation/ports.js';
import { createLog } from '../../../src/core/log.js';
import { localWake } from '../../support/local-wake.js';
import { ManualClock, settled } from '../../support/manual-clock.js';

/** A store in which so many steps are due; each transaction ends when the test says so. */
function aBurst(count: number) {
  let left = count;
  let commit = () => {};
  const store: Partial<EscalationStore> = {
    takeReports: async () => [],
    decided: async () => [],
    pausesLeft: async () => [],
    nextDueMs: async () => null,
    due: (limit) =>
      new Promise((resolve) => {
        commit = () => {
          const moved = Math.min(limit, left);
          left -= moved;
          resolve(moved);
        };
      }),
  };
  return { store, commit: () => commit() };
}

const none = <T>(): T => ({}) as Partial<T> as T;

it('an engine is behind while more is due than one transaction takes, but not for ever', async () => {
  const clock = new ManualClock();
  const { store, commit } = aBurst(1_600);
  const engine = await startEscalationEngine({
    // Nothing else of it is asked for.
    escalations: store as EscalationStore,
    policies: none<PolicyStore>(),
    jobActions: none<JobActions>(),
    lookup: () => [],
    wake: localWake(),
    clock,
    log: createLog('silent'),
  });
  const committed = async () => {
    commit();
    await settled();
  };
  await settled();
  expect(engine.isBehind()).toBe(false);
  await committed();
  expect(engine.isBehind()).toBe(true);
  await clock.pass(5_000);
  expect(engine.isBehind()).toBe(false);
  await committed();
  await committed();
  await committed();
  expect(engine.isBehind()).toBe(false);
  await engine.stop();
});
