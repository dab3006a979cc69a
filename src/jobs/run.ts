import type { SluiceError } from '../core/errors.js';
import { newId } from '../core/ids.js';
import type { Attempt } from './stores.js';

/** One worker's work on one hint, from taking it to letting go. */
export interface Run {
  readonly jobId: string;
  /** Marks every lease that this run takes: on the attempt when it claims it, and on chunks. */
  readonly token: string;
  /** Aborts with a SluiceError that says why. */
  readonly signal: AbortSignal;
  /** The attempt in hand; another worker's when this run only helps with its chunks. */
  attempt: Attempt | undefined;
  /** Whether parts exist, so that stopping means finishing a chunk and not giving the attempt back. */
  isLoading: boolean;
  /** Whether somebody told of a change of the job: noted here, for a run whose claim is still on its way. */
  isDoubted: boolean;
  stop(reason: SluiceError): void;
}

export function createRun(jobId: string): Run {
  const controller = new AbortController();
  return {
    jobId,
    token: newId(),
    signal: controller.signal,
    attempt: undefined,
    isLoading: false,
    isDoubted: false,
    stop: (reason) => controller.abort(reason),
  };
}
