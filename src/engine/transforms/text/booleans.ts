import { BLANKS, type TextCast } from './text-cast.js';

const beginnings = (word: string, from: number): string[] =>
  Array.from({ length: word.length - from + 1 }, (_, i) => word.slice(0, from + i));

/** Any beginning of a word that is no beginning of another one, in any case, between blanks. */
const pattern = (words: readonly string[]): string => `${BLANKS}(${words.join('|')})${BLANKS}`;
const TRUE = pattern(['1', 'on', ...beginnings('true', 1), ...beginnings('yes', 1)]);
const FALSE = pattern(['0', 'of', 'off', ...beginnings('false', 1), ...beginnings('no', 1)]);

export const booleans: TextCast = {
  attempt: (text) => `TRY_CAST(${text} AS BOOLEAN)`,
  settle: (attempt, text) =>
    `CASE WHEN ${attempt} IS NOT NULL THEN ${attempt}
      WHEN regexp_full_match(${text}, '${TRUE}', 'i') THEN true WHEN regexp_full_match(${text}, '${FALSE}', 'i') THEN false END`,
};
