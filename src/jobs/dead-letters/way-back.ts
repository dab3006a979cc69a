import type { PartEffect } from '../stores.js';

/** Why a redrive or a discard leaves a job as it is. */
export const DEAD_LETTER_REFUSALS = ['NOT_FOUND', 'NOT_DEAD', 'ROWS_IN_TARGET', 'NOT_CLEANED_UP', 'IS_REPLAY'] as const;
export type DeadLetterRefusal = (typeof DEAD_LETTER_REFUSALS)[number];

/** What the row of a dead job tells of what it left. */
export interface Remains {
  /** Whether it has parts to load. */
  readonly isEvaluated: boolean;
  /** Whether what its sink prepared is still there; so are its parts then. */
  readonly isPrepared: boolean;
  /** Null in a job of an older version. */
  readonly partEffect: PartEffect | null;
  /** Whether rows of it are in its target, or may be: those that another database has committed are not all counted. */
  readonly mayBeLoaded: boolean;
}

/**
 * How a dead job begins again: RESUME with the parts that are left, when rows are in the target for good, RESTART from the
 * source, or not at all. The same as a retry of one job, except that nothing is removed here: what the job has staged must
 * be gone.
 */
export function wayBackOf({ isEvaluated, isPrepared, partEffect, mayBeLoaded }: Remains) {
  if (!isEvaluated) return 'RESTART' as const;
  if (isPrepared) return partEffect === 'PERMANENT' ? ('RESUME' as const) : ('NOT_CLEANED_UP' as const);
  if (partEffect === 'STAGED' || partEffect === 'REPEATABLE' || !mayBeLoaded) return 'RESTART' as const;
  return 'ROWS_IN_TARGET' as const;
}
