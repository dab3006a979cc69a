import { z } from 'zod';
import { type FailureClass, isAsked } from '../core/failure-class.js';

export type { OnFailure } from '../engine/pipeline.js';

const asksNobody = z.object({ options: z.object({ onFailure: z.literal('FAIL') }) });

/**
 * Whether a failed job waits for somebody to decide, instead of ending.
 * @param spec as it is stored; what it says under `options.onFailure` goes
 */
export const awaitsDecision = (failureClass: FailureClass, spec: unknown): boolean =>
  isAsked(failureClass) && !asksNobody.safeParse(spec).success;
