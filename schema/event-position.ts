import { SluiceError } from '../src/core/errors.js';

/**
 * Where a subscription begins; null when it does not say.
 * @throws SluiceError INVALID_INPUT when it is no `seq`
 */
export function eventPosition(afterSeq: number | bigint | null | undefined): number | null {
  if (afterSeq === null || afterSeq === undefined) return null;
  if (afterSeq < 0 || typeof afterSeq === 'bigint')
    throw new SluiceError('INVALID_INPUT', '`afterSeq` must be the `seq` of an event, or 0.', { path: ['afterSeq'] });
  return afterSeq;
}
