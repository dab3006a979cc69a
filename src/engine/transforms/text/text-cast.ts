import { HIDDEN_PREFIX } from '../../relation.js';

/**
 * How text becomes a value of a type, by the rules of PostgreSQL's COPY: whatever DuckDB alone would read otherwise, or
 * PostgreSQL would refuse, is null. test/differential holds the two against each other.
 */
export interface TextCast {
  /** SQL of DuckDB's own conversion, which is computed once; it may have read what is no value of the type. */
  readonly attempt: (text: string) => string;
  /** SQL of the value, or null: the attempt where it is right, and what the attempt could not read. */
  readonly settle: (attempt: string, text: string) => string;
}

/** What C's isspace() holds for white space, as a class of a pattern. */
export const BLANKS = '[\\s\\v]*';

const BLANK_CHARACTERS = `concat(' ', chr(9), chr(10), chr(11), chr(12), chr(13))`;

export const trimmed = (text: string): string => `trim(${text}, ${BLANK_CHARACTERS})`;

/**
 * What SQL has computed, for use in more SQL. Written twice it would be computed for every row, also where it stands behind a
 * WHEN that few rows reach, since DuckDB takes equal expressions out of a CASE. A lambda's variable would lose against a column of the same name, so that it is
 * called as no column can be.
 */
export const naming = (value: string, label: string, use: (name: string) => string): string =>
  `list_transform([${value}], lambda ${HIDDEN_PREFIX}${label}: ${use(HIDDEN_PREFIX + label)})[1]`;

/** The variable of a lambda over the items of a list. */
export const ITEM = `${HIDDEN_PREFIX}item`;
