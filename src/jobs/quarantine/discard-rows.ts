import { SluiceError } from '../../core/errors.js';
import { isFinal, type Job } from '../job.js';
import type { Caller } from '../job-service.js';
import { refuseUnstorable } from '../refuse-unstorable.js';
import type { QuarantineServiceDeps } from './deps.js';
import type { QuarantineFilter } from './ports.js';
import { refuseOtherStatuses } from './refuse-other-statuses.js';

const MOST_IDS = 10_000;
const REASON_LENGTH = 1_000;

/** Gives rows of an ended job up. */
export async function discardRows(
  { quarantineChanges }: QuarantineServiceDeps,
  { tenant, name }: Caller,
  { state }: Job,
  filter: QuarantineFilter,
  reason: string,
): Promise<number> {
  const why = reason.trim();
  const refuse = (message: string, path: string): SluiceError =>
    new SluiceError('INVALID_INPUT', message, { path: [path] });
  if (why.length < 1 || why.length > REASON_LENGTH)
    throw refuse(`A reason has 1 to ${REASON_LENGTH} characters.`, 'reason');
  refuseUnstorable(why, ['reason']);
  refuseOtherStatuses(filter.statuses, 'discarded');
  const { ids } = filter;
  if (ids !== undefined && (ids.length < 1 || ids.length > MOST_IDS))
    throw refuse(`Give 1 to ${MOST_IDS} ids; there are ${ids.length}.`, 'ids');
  if (!isFinal(state)) {
    const message = `The job is ${state}: rows are discarded once it has ended; until then it may read them again.`;
    throw new SluiceError('STATE_NOT_ALLOWED', message, { path: ['jobId'] });
  }
  return quarantineChanges.discard(tenant, filter, name, why);
}
