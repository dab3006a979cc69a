import { InvalidArgumentError } from 'commander';
import { FAILURE_CLASSES } from '../core/failure-class.js';

/** What the API takes for a word; a test holds each list against the schema. */
export const CLASS_WORDS: readonly string[] = FAILURE_CLASSES;
export const STATUS_WORDS: readonly string[] = [
  'ASKING',
  'ACKNOWLEDGED',
  'CLAIMED',
  'SNOOZED',
  'DECIDED',
  'HELD',
  'RESOLVED',
];
export const VERDICT_WORDS: readonly string[] = [
  'RETRY',
  'RESUME',
  'SKIP_ROWS',
  'QUARANTINE_AND_CONTINUE',
  'PATCH_SPEC',
  'PAUSE_TARGET',
  'ABORT',
];

export const ROW_STATUS_WORDS: readonly string[] = ['OPEN', 'FIXED', 'REPLAYING', 'REPLAYED', 'DISCARDED'];

/** Takes a word of the list, in any case, so that a slip is told with the words there are. For an argument of commander. */
export function oneOf(words: readonly string[]): (text: string) => string {
  return (text) => {
    const word = words.find((one) => one === text.toUpperCase());
    if (word !== undefined) return word;
    throw new InvalidArgumentError(`It must be one of ${words.join(', ')}.`);
  };
}

/** The same for an option that takes several. */
export function someOf(words: readonly string[]): (text: string, before?: readonly string[]) => readonly string[] {
  const take = oneOf(words);
  return (text, before = []) => [...before, take(text)];
}
