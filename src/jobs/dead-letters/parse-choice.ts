import { SluiceError, UserErrors } from '../../core/errors.js';
import { refuseUnstorable } from '../refuse-unstorable.js';
import type { DeadLetterChoice, DeadLetterFilter, DeadLetterSelection, RedriveRequest } from './ports.js';

const MOST_IDS = 1_000;
const DEFAULT_RATE = 10;
const [LOWEST_RATE, HIGHEST_RATE] = [0.1, 200];
const LONGEST_KEY = 200;
const LONGEST_REASON = 500;

const mistake = (member: string, message: string): UserErrors =>
  new UserErrors([new SluiceError('INVALID_INPUT', message, { path: [member] })]);

/** @throws UserErrors INVALID_INPUT for a text that PostgreSQL cannot look for */
export function checkedFilter(filter: DeadLetterFilter): DeadLetterFilter {
  const { name = '', owner = '', fingerprint = '' } = filter;
  refuseUnstorable({ name, owner, fingerprint }, ['filter']);
  return filter;
}

/**
 * Which jobs are meant.
 * @param takesAll whether `all` is one of the ways to say so
 * @throws UserErrors INVALID_INPUT unless it is said in exactly one way; everything is never meant by a filter that is empty
 */
export function parseChoice({ jobIds, filter, all }: DeadLetterChoice, takesAll: boolean): DeadLetterSelection {
  const ways = takesAll ? '`jobIds`, `filter` or `all: true`' : '`jobIds` or `filter`';
  const said = [jobIds !== undefined, filter !== undefined, all === true].filter(Boolean).length;
  if (said !== 1)
    throw new UserErrors([new SluiceError('INVALID_INPUT', `Say which dead letters by exactly one of ${ways}.`)]);
  if (jobIds !== undefined) {
    if (jobIds.length === 0) throw mistake('jobIds', 'Name at least one job.');
    if (jobIds.length > MOST_IDS) throw mistake('jobIds', `Name at most ${MOST_IDS} jobs, or use a filter.`);
    return { ids: [...new Set(jobIds)] };
  }
  if (filter === undefined) return { filter: {} };
  if (Object.keys(filter).length === 0)
    throw mistake(
      'filter',
      `The filter sets nothing, and would take every dead letter${takesAll ? '; say `all: true`' : ''}.`,
    );
  return { filter: checkedFilter(filter) };
}

/** @throws UserErrors INVALID_INPUT */
export function parseRate({ ratePerSecond = DEFAULT_RATE }: RedriveRequest): number {
  if (ratePerSecond >= LOWEST_RATE && ratePerSecond <= HIGHEST_RATE) return ratePerSecond;
  throw mistake('ratePerSecond', `\`ratePerSecond\` must be ${LOWEST_RATE} to ${HIGHEST_RATE}.`);
}

/** @throws UserErrors INVALID_INPUT */
export function parseKey({ idempotencyKey }: RedriveRequest): string | null {
  return idempotencyKey === undefined ? null : parseText('idempotencyKey', idempotencyKey, LONGEST_KEY);
}

/** @throws UserErrors INVALID_INPUT */
export const parseReason = (reason: string): string => parseText('reason', reason, LONGEST_REASON);

function parseText(member: string, given: string, longest: number): string {
  const text = given.trim();
  if (text === '') throw mistake(member, `\`${member}\` must not be empty.`);
  if (text.length > longest) throw mistake(member, `\`${member}\` has at most ${longest} characters.`);
  refuseUnstorable(text, [member]);
  return text;
}
