import { SluiceError } from '../../core/errors.js';
import type { Part } from './sink.js';

/** The target has to have taken as many rows as the evaluation has put into the part. @throws SluiceError RECONCILIATION_FAILED */
export function complete(part: Part, rows: number): number {
  if (part.expectedRows === null || part.expectedRows === rows) return rows;
  throw new SluiceError(
    'RECONCILIATION_FAILED',
    `Part ${part.ordinal} holds ${part.expectedRows} rows, but ${rows} were loaded from it.`,
  );
}
