import { describe, expect, it, test } from 'vitest';
import { BACKLOG_AGE_MS, levelOf, readingsOf, SPIKE_JOBS } from '../../../../src/jobs/monitors/rules.js';
import type { Snapshot } from '../../../../src/jobs/monitors/snapshot.js';

const QUIET: Snapshot = {
  queued: 0,
  oldestQueuedMs: null,
  stalled: 0,
  stalledJobId: null,
  longestStalledMs: null,
  slots: 0,
  busySlots: 0,
  deadLetters: 0,
  diedLately: 0,
  metrics: [],
};
const reading = (monitor: string, changes: Partial<Snapshot>) =>
  readingsOf({ ...QUIET, ...changes }).find((one) => one.monitor === monitor);

describe('the monitors', () => {
  it('find nothing in a service without work and workers', () => {
    expect(readingsOf(QUIET).map(({ monitor, breached }) => [monitor, breached])).toEqual([
      ['backlog-age', false],
      ['stalled-work', false],
      ['worker-utilisation', false],
      ['dead-letters-spike', false],
    ]);
  });

  test.each([
    [70, 'NORMAL'],
    [70.1, 'BUSY'],
    [85, 'BUSY'],
    [85.1, 'OVERLOADED'],
    [95, 'OVERLOADED'],
    [95.1, 'CRITICAL'],
  ])('call workers that are busy to %d %% %s', (percent, level) => {
    expect(levelOf(percent)).toBe(level);
  });

  test.each([
    [85, false],
    [86, true],
    [100, true],
  ])('with %d of 100 slots busy: overloaded %s', (busySlots, breached) => {
    expect(reading('worker-utilisation', { slots: 100, busySlots })?.breached).toBe(breached);
  });

  it('take a job that waits beyond the bound for a backlog, and not at the bound', () => {
    expect(reading('backlog-age', { queued: 1, oldestQueuedMs: BACKLOG_AGE_MS })?.breached).toBe(false);
    const beyond = reading('backlog-age', { queued: 3, oldestQueuedMs: BACKLOG_AGE_MS + 1 });
    expect(beyond).toMatchObject({ breached: true, details: { queued: 3 } });
    expect(beyond?.message).toBe('The oldest of 3 queued jobs has waited 300 s; the bound is 300 s.');
  });

  it('name a job that stands still', () => {
    const found = reading('stalled-work', { stalled: 2, stalledJobId: 'job-1', longestStalledMs: 1_200_000 });
    expect(found).toMatchObject({ breached: true });
    expect(found?.message).toContain('job-1 has stood still for 1200 s');
  });

  it('take more dead letters at once than the bound for a spike, and not the bound', () => {
    expect(reading('dead-letters-spike', { diedLately: SPIKE_JOBS, deadLetters: 99 })?.breached).toBe(false);
    expect(reading('dead-letters-spike', { diedLately: SPIKE_JOBS + 1, deadLetters: 99 })).toMatchObject({
      breached: true,
      code: 'DEAD_LETTERS_SPIKE',
      message: '11 dead letters came within the last 600 s; the bound is 10.',
      details: { deadLetters: 99 },
    });
  });

  it('pass on what a metric says, with its value and objective', () => {
    const found = reading('retry-success', {
      metrics: [
        {
          name: 'RETRY_SUCCESS',
          value: 75,
          unit: 'PERCENT',
          objective: { relation: 'ABOVE', bound: 90 },
          samples: 40,
          breached: true,
          windowMs: 3_600_000,
        },
      ],
    });
    expect(found).toMatchObject({ breached: true, details: { value: 75, samples: 40 } });
    expect(found?.message).toBe('RETRY_SUCCESS is 75% over the last 3600 s; the objective is more than 90%.');
  });
});
