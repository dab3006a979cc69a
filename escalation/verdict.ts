/**
 * What an agent can decide about a failed job. Each acts on the job exactly once.
 *
 * - RETRY: from the beginning, with a new set of attempts.
 * - RESUME: on from the last committed part; from the beginning when there is none.
 * - SKIP_ROWS: again, without the rows that failed: they are counted as quarantined, whatever the error budget.
 * - QUARANTINE_AND_CONTINUE: again, with every failed expectation turned into quarantine and no error budget.
 * - PATCH_SPEC: again, with a corrected spec (a JSON merge patch, RFC 7396), parsed like a new launch.
 * - PAUSE_TARGET: loads into the target wait until it is released; the job itself stays held.
 * - ABORT: the job fails for good.
 */
export const VERDICTS = [
  'RETRY',
  'RESUME',
  'SKIP_ROWS',
  'QUARANTINE_AND_CONTINUE',
  'PATCH_SPEC',
  'PAUSE_TARGET',
  'ABORT',
] as const;
export type VerdictKind = (typeof VERDICTS)[number];

export interface Verdict {
  /** uuid; the effect is applied once under it. */
  readonly id: string;
  readonly kind: VerdictKind;
  /** The agent who decided. */
  readonly agent: string;
  /** JSON merge patch of the job's spec, for PATCH_SPEC. */
  readonly patch: object | null;
  readonly comment: string | null;
}

/** PENDING until it has acted on the job. */
export type VerdictOutcome = 'PENDING' | 'APPLIED' | 'FAILED';
