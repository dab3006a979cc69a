import { SluiceError } from '../../core/errors.js';
import type { Job } from '../job.js';
import type { SourceColumn } from '../stores.js';
import type { QuarantineChanges } from './stores.js';

/**
 * The columns of the source of a job whose rows are to be fixed or replayed.
 * @throws SluiceError STATE_NOT_ALLOWED for a job that has not succeeded: its rows may still change
 */
export async function requireColumns(
  { quarantineChanges }: { readonly quarantineChanges: Pick<QuarantineChanges, 'sourceColumns'> },
  { id, tenant, state }: Job,
): Promise<readonly SourceColumn[]> {
  if (state !== 'SUCCEEDED') {
    const message = `The job is ${state}: rows are fixed and replayed once it has SUCCEEDED; until then it may read them again.`;
    throw new SluiceError('STATE_NOT_ALLOWED', message, { path: ['jobId'] });
  }
  const columns = await quarantineChanges.sourceColumns(tenant, id);
  if (columns !== null && columns.length > 0) return columns;
  const message = 'The job ran under an older version, which kept no columns of its source: launch it again.';
  throw new SluiceError('STATE_NOT_ALLOWED', message, { path: ['jobId'] });
}
