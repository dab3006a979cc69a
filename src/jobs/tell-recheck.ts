import type { Log } from '../core/log.js';
import type { Recheck } from './stores.js';

/** Which rows were read back. */
interface Place {
  readonly jobId: string;
  /** Ordinal of the part; missing for the published rows of all of them. */
  readonly part?: number;
}

/**
 * Tells operators what was found when rows were read back. A difference does not fail the job: a trigger may alter rows
 * on purpose. Values are not told: they may be anybody's.
 */
export function tellRecheck(log: Log, place: Place, recheck: Recheck | null): void {
  if (recheck === null) return;
  const { rows, differing, columns, problem } = recheck;
  if (differing > 0) {
    log.warn(
      { ...place, rechecked: rows, differing, columns },
      'rows in the target differ from those that were evaluated',
    );
  }
  if (problem !== null) log.warn({ ...place, reason: problem }, 'rows could not be read back from the target');
}
