import { SluiceError } from '../../core/errors.js';
import type { BoundExpectation, Threshold } from '../parse-pipeline.js';
import type { ErrorBudget } from '../pipeline.js';
import type { Account, Sample } from './accounting.js';
import type { ExpectationOutcome, ExpectationStatus } from './outcome.js';

/** Whether so many bad ones of so many are more than allowed. */
function exceeds(
  limit: { count: number | null; percent: number | null; minRows: number },
  bad: number,
  of: number,
): boolean {
  if (limit.count !== null && bad > limit.count) return true;
  return limit.percent !== null && of >= limit.minRows && of > 0 && (100 * bad) / of > limit.percent;
}

function statusOf(expectation: BoundExpectation, failed: number, evaluated: number): ExpectationStatus {
  const over = isOver(expectation.threshold, failed, evaluated);
  if (expectation.severity === 'WARN')
    return failed > 0 && (over || isUnlimited(expectation.threshold)) ? 'WARNED' : 'PASSED';
  if (over) return 'FAILED';
  return expectation.severity === 'QUARANTINE' && failed > 0 ? 'QUARANTINED' : 'PASSED';
}

const isUnlimited = (threshold: Threshold): boolean => threshold.count === null && threshold.percent === null;
const isOver = (threshold: Threshold, failed: number, evaluated: number): boolean =>
  exceeds(threshold, failed, evaluated);

/** The data quality report, one line an expectation, from the accounts of all passes. */
export function report(
  expectations: readonly BoundExpectation[],
  accounts: readonly Account[],
  rowsGood: number,
  uniqueSamples: ReadonlyMap<number, readonly Sample[]>,
): readonly ExpectationOutcome[] {
  return expectations.map((bound, ordinal) => {
    const { evaluated, failed, samples } = measure(bound, ordinal, accounts, rowsGood, uniqueSamples);
    return {
      ordinal,
      kind: bound.name,
      description: bound.expectation.description,
      severity: bound.severity,
      evaluated,
      failed,
      percent: evaluated === 0 ? 0 : (100 * failed) / evaluated,
      status: statusOf(bound, failed, evaluated),
      samples,
    };
  });
}

function measure(
  { expectation }: BoundExpectation,
  ordinal: number,
  accounts: readonly Account[],
  rowsGood: number,
  uniqueSamples: ReadonlyMap<number, readonly Sample[]>,
): { evaluated: number; failed: number; samples: readonly Sample[] } {
  if (expectation.scope === 'ROW_COUNT') {
    const { min, max } = expectation;
    const kept = (min === null || rowsGood >= min) && (max === null || rowsGood <= max);
    return { evaluated: rowsGood, failed: kept ? 0 : 1, samples: [] };
  }
  // The account in which the expectation was judged; a later one has more rows gone before.
  for (const account of [...accounts].reverse()) {
    const found = account.violations.get(ordinal);
    if (found !== undefined) return { evaluated: account.reached, ...found };
    const duplicates = account.duplicates.get(`unique${ordinal}`);
    if (duplicates !== undefined) {
      return { evaluated: account.reached, failed: duplicates, samples: uniqueSamples.get(ordinal) ?? [] };
    }
  }
  return { evaluated: 0, failed: 0, samples: [] };
}

/**
 * Stops a job whose data is too bad, before anything of it is published.
 * @throws SluiceError EXPECTATION_FAILED, ERROR_BUDGET_EXCEEDED; `details` hold the report and the first bad rows
 */
export function judge(
  outcomes: readonly ExpectationOutcome[],
  budget: ErrorBudget,
  bad: number,
  read: number,
  badRows: readonly unknown[],
): void {
  const broken = outcomes.filter((outcome) => outcome.status === 'FAILED');
  if (broken.length > 0) {
    const list = broken.map((o) => `${o.description} (${o.failed} of ${o.evaluated})`).join('; ');
    throw new SluiceError('EXPECTATION_FAILED', `Expectations failed, nothing was loaded: ${list}.`, {
      path: ['expectations', broken[0]?.ordinal ?? 0],
      details: { report: outcomes, samples: badRows },
    });
  }
  if (exceeds(budget, bad, read)) {
    const limit = budget.count !== null && bad > budget.count ? `${budget.count} rows` : `${budget.percent} %`;
    throw new SluiceError(
      'ERROR_BUDGET_EXCEEDED',
      `${bad} of ${read} rows are bad, more than the error budget of ${limit}; nothing was loaded.`,
      {
        path: ['options', 'errorBudget'],
        details: { report: outcomes, samples: badRows },
      },
    );
  }
}
