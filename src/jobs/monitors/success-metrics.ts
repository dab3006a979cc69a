export const SUCCESS_METRICS = [
  'COMPLETION_RATE',
  'THROUGHPUT',
  'FAILURE_RATE',
  'RETRY_SUCCESS',
  'TRANSFORMATION_ACCURACY',
] as const;
export type SuccessMetricName = (typeof SUCCESS_METRICS)[number];

export type SuccessMetricUnit = 'PERCENT' | 'RECORDS_PER_MINUTE';

/** The value has to lie beyond the bound: a value that equals it misses the objective. */
export interface Objective {
  readonly relation: 'ABOVE' | 'BELOW';
  readonly bound: number;
}

/** A figure of the service over a window that ends now. */
export interface SuccessMetric {
  readonly name: SuccessMetricName;
  /** Null when there is nothing to make it of. */
  readonly value: number | null;
  readonly unit: SuccessMetricUnit;
  readonly objective: Objective;
  /** What it is made of: jobs, attempts, rows, or seconds with work. */
  readonly samples: number;
  /** Whether the objective is missed; null while there are too few samples to tell. Nothing at all misses nothing. */
  readonly breached: boolean | null;
  readonly windowMs: number;
}

/** What the database says about a window. */
export interface SuccessCounts {
  /** Jobs that ended, without cancelled ones and those whose input was wrong: both are the caller's doing. */
  readonly jobsSucceeded: number;
  readonly jobsFailed: number;
  /** Attempts that failed, whatever became of their jobs; again without wrong input. */
  readonly attemptsFailed: number;
  /** Of the jobs that ended, those that took more than one attempt. */
  readonly retriedSucceeded: number;
  readonly retriedFailed: number;
  /** Rows of parts that were committed, into targets and quarantine. */
  readonly rowsCommitted: number;
  /** Time in which at least one job was queued or running. */
  readonly workMs: number;
  /** Whether a job has been waiting for a worker for a while now. */
  readonly isBackedUp: boolean;
  /** Rows of the runs that got as far as being reconciled, but for those of which nothing could be read back. */
  readonly rowsReconciled: number;
  /** Those of the runs whose counters did not balance, and of the others as many as their re-checks let expect. */
  readonly rowsDisagreeing: number;
}

/** With fewer a rate says little: one failure of five is no trend. */
export const MIN_SAMPLES = 20;
/** The shortest work whose throughput is judged. */
const MIN_WORK_SECONDS = 60;

export const OBJECTIVES: Readonly<Record<SuccessMetricName, Objective & { readonly unit: SuccessMetricUnit }>> = {
  COMPLETION_RATE: { relation: 'ABOVE', bound: 99, unit: 'PERCENT' },
  THROUGHPUT: { relation: 'ABOVE', bound: 10_000, unit: 'RECORDS_PER_MINUTE' },
  FAILURE_RATE: { relation: 'BELOW', bound: 1, unit: 'PERCENT' },
  RETRY_SUCCESS: { relation: 'ABOVE', bound: 90, unit: 'PERCENT' },
  TRANSFORMATION_ACCURACY: { relation: 'ABOVE', bound: 99.9, unit: 'PERCENT' },
};

export const isMet = (value: number, { relation, bound }: Objective): boolean =>
  relation === 'ABOVE' ? value > bound : value < bound;

interface Figure {
  readonly value: number | null;
  readonly samples: number;
  readonly minSamples: number;
  /** False where missing the objective does no harm. */
  readonly matters?: boolean;
}

function share(part: number, whole: number): Figure {
  // Multiplied first: 99 of 100 is then exactly 99, and compares as such.
  return { value: whole > 0 ? (100 * part) / whole : null, samples: whole, minSamples: MIN_SAMPLES };
}

function throughput({ rowsCommitted, workMs, isBackedUp }: SuccessCounts): Figure {
  return {
    value: workMs > 0 ? (rowsCommitted * 60_000) / workMs : null,
    samples: Math.floor(workMs / 1_000),
    minSamples: MIN_WORK_SECONDS,
    matters: isBackedUp,
  };
}

const figures = (counts: SuccessCounts): Readonly<Record<SuccessMetricName, Figure>> => ({
  COMPLETION_RATE: share(counts.jobsSucceeded, counts.jobsSucceeded + counts.jobsFailed),
  THROUGHPUT: throughput(counts),
  // A job that succeeds does so with its last attempt.
  FAILURE_RATE: share(counts.attemptsFailed, counts.attemptsFailed + counts.jobsSucceeded),
  RETRY_SUCCESS: share(counts.retriedSucceeded, counts.retriedSucceeded + counts.retriedFailed),
  TRANSFORMATION_ACCURACY: share(counts.rowsReconciled - counts.rowsDisagreeing, counts.rowsReconciled),
});

function isBreached({ value, samples, minSamples, matters = true }: Figure, objective: Objective): boolean | null {
  if (value === null || !matters) return false;
  return samples < minSamples ? null : !isMet(value, objective);
}

/** The five success metrics, in the order of `SUCCESS_METRICS`. */
export function successMetricsOf(counts: SuccessCounts, windowMs: number): readonly SuccessMetric[] {
  const made = figures(counts);
  return SUCCESS_METRICS.map((name) => {
    const { unit, ...objective } = OBJECTIVES[name];
    const figure = made[name];
    const breached = isBreached(figure, objective);
    return { name, value: figure.value, unit, objective, samples: figure.samples, breached, windowMs };
  });
}
