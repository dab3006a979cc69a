import { describe, expect, it, test } from 'vitest';
import {
  type SuccessCounts,
  type SuccessMetricName,
  successMetricsOf,
} from '../../../../src/jobs/monitors/success-metrics.js';

const NOTHING: SuccessCounts = {
  jobsSucceeded: 0,
  jobsFailed: 0,
  attemptsFailed: 0,
  retriedSucceeded: 0,
  retriedFailed: 0,
  rowsCommitted: 0,
  workMs: 0,
  isBackedUp: false,
  rowsReconciled: 0,
  rowsDisagreeing: 0,
};

function metric(name: SuccessMetricName, counts: Partial<SuccessCounts>) {
  const found = successMetricsOf({ ...NOTHING, ...counts }, 3_600_000).find((one) => one.name === name);
  return [found?.value, found?.samples, found?.breached];
}

describe('a success metric', () => {
  it('is unknown and misses nothing when nothing has happened', () => {
    for (const one of successMetricsOf({ ...NOTHING, isBackedUp: true }, 60_000))
      expect(one).toMatchObject({ value: null, samples: 0, breached: false, windowMs: 60_000 });
  });

  // A value that equals its bound misses the objective.
  test.each<[SuccessMetricName, Partial<SuccessCounts>, [number, number, boolean | null]]>([
    ['COMPLETION_RATE', { jobsSucceeded: 99, jobsFailed: 1 }, [99, 100, true]],
    ['COMPLETION_RATE', { jobsSucceeded: 198, jobsFailed: 2 }, [99, 200, true]],
    ['COMPLETION_RATE', { jobsSucceeded: 991, jobsFailed: 9 }, [99.1, 1000, false]],
    ['COMPLETION_RATE', { jobsFailed: 19 }, [0, 19, null]],
    ['COMPLETION_RATE', { jobsFailed: 20 }, [0, 20, true]],
    ['FAILURE_RATE', { jobsSucceeded: 99, attemptsFailed: 1 }, [1, 100, true]],
    ['FAILURE_RATE', { jobsSucceeded: 991, attemptsFailed: 9 }, [0.9, 1000, false]],
    ['FAILURE_RATE', { jobsSucceeded: 10, attemptsFailed: 9 }, [(100 * 9) / 19, 19, null]],
    ['RETRY_SUCCESS', { retriedSucceeded: 18, retriedFailed: 2 }, [90, 20, true]],
    ['RETRY_SUCCESS', { retriedSucceeded: 19, retriedFailed: 2 }, [(100 * 19) / 21, 21, false]],
    ['RETRY_SUCCESS', { retriedFailed: 5 }, [0, 5, null]],
    ['TRANSFORMATION_ACCURACY', { rowsReconciled: 1000, rowsDisagreeing: 1 }, [99.9, 1000, true]],
    ['TRANSFORMATION_ACCURACY', { rowsReconciled: 10_000, rowsDisagreeing: 9 }, [99.91, 10_000, false]],
    ['TRANSFORMATION_ACCURACY', { rowsReconciled: 7 }, [100, 7, null]],
    ['THROUGHPUT', { rowsCommitted: 20_000, workMs: 120_000, isBackedUp: true }, [10_000, 120, true]],
    ['THROUGHPUT', { rowsCommitted: 20_001, workMs: 120_000, isBackedUp: true }, [10_000.5, 120, false]],
    ['THROUGHPUT', { rowsCommitted: 0, workMs: 120_000, isBackedUp: true }, [0, 120, true]],
    ['THROUGHPUT', { rowsCommitted: 0, workMs: 120_000, isBackedUp: false }, [0, 120, false]],
    ['THROUGHPUT', { rowsCommitted: 10, workMs: 59_999, isBackedUp: true }, [(10 * 60_000) / 59_999, 59, null]],
  ])('%s of %j', (name, counts, expected) => {
    expect(metric(name, counts)).toEqual(expected);
  });
});
