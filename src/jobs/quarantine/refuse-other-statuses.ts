import { SluiceError } from '../../core/errors.js';
import type { QuarantineStatus } from '../job.js';

/** Only rows that wait are changed. @throws SluiceError INVALID_INPUT */
export function refuseOtherStatuses(statuses: readonly QuarantineStatus[] | undefined, what: string): void {
  const wrong = statuses?.find((status) => status !== 'OPEN' && status !== 'FIXED');
  if (wrong === undefined) return;
  const message = `Rows that are ${wrong} cannot be ${what}; those that are OPEN or FIXED can.`;
  throw new SluiceError('INVALID_INPUT', message, { path: ['filter', 'statuses'] });
}
