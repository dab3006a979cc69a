/** Severity of an expectation: only counted, bad rows set aside, or the job stopped. */
export const SEVERITIES = ['WARN', 'QUARANTINE', 'FAIL'] as const;
export type Severity = (typeof SEVERITIES)[number];

export type ExpectationStatus = 'PASSED' | 'WARNED' | 'QUARANTINED' | 'FAILED';

/** One line of the data quality report. */
export interface ExpectationOutcome {
  /** Position in the spec, from 0. */
  readonly ordinal: number;
  readonly kind: string;
  /** What is expected, for people: `quantity between 1 and 100`. */
  readonly description: string;
  readonly severity: Severity;
  readonly evaluated: number;
  readonly failed: number;
  /** 100 * failed / evaluated; 0 when nothing was evaluated. */
  readonly percent: number;
  readonly status: ExpectationStatus;
  /** First violations in source order, at most 10; `raw` is the record as JSON text. */
  readonly samples: readonly { readonly rowNumber: number | null; readonly raw: string }[];
}
