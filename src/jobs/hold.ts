import { z } from 'zod';
import type { FailureClass } from '../core/failure-class.js';

export type { OnFailure } from '../engine/pipeline.js';

/** TRANSIENT passes by itself; what an INVALID_REQUEST needs is another request. */
const UNASKED: readonly FailureClass[] = ['TRANSIENT', 'INVALID_REQUEST'];

const asksNobody = z.object({ options: z.object({ onFailure: z.literal('FAIL') }) });

/**
 * Whether a failed job waits for somebody to decide, instead of ending.
 * @param spec as it is stored; what it says under `options.onFailure` goes
 */
export const awaitsDecision = (failureClass: FailureClass, spec: unknown): boolean =>
  !UNASKED.includes(failureClass) && !asksNobody.safeParse(spec).success;
