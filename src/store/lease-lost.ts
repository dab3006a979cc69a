import { SluiceError } from '../core/errors.js';

/** What a fenced write that changed nothing means. */
export const leaseLost = (): SluiceError =>
  new SluiceError('LEASE_LOST', 'Another worker has taken over this piece of work; its result is dropped here.');
