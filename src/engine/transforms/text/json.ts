import { fitsNumeric } from './decimals.js';
import { ITEM, naming, type TextCast } from './text-cast.js';

/** The text of a JSON value with its strings emptied, so that what is found in it is no part of a string. */
export const withoutStrings = (json: string): string => `regexp_replace(${json}, '"(?:[^"\\\\]|\\\\.)*"', '""', 'g')`;

/** What DuckDB takes though it is no JSON: a comma behind the last item, and numbers that are none. */
const SLOPPY = `,\\s*[\\]}]|nan|inf`;
/** Numbers that jsonb, which keeps them as numeric, might not hold. */
const LARGE = '\\d[eE][+-]?\\d{4}';
const LONG_BYTES = 16_000;
const NUMBER = '-?\\d[\\d.]*(?:[eE][+-]?\\d+)?';

/** What jsonb takes. The text itself is kept: no digit and no order of members is lost on the way. */
export const jsonTexts: TextCast = {
  attempt: (text) => `json_valid(${text})`,
  settle(attempt, text) {
    const isSuspect = `regexp_matches(${text}, '${SLOPPY}|${LARGE}', 'i') OR strlen(${text}) > ${LONG_BYTES}`;
    const tooLarge = `lambda ${ITEM}: NOT ${fitsNumeric(ITEM)}`;
    const isStrict = (bare: string): string =>
      `NOT regexp_matches(${bare}, '${SLOPPY}', 'i') AND len(list_filter(regexp_extract_all(${bare}, '${NUMBER}'), ${tooLarge})) = 0`;
    return `CASE WHEN ${attempt} AND (NOT (${isSuspect}) OR ${naming(withoutStrings(text), 'bare', isStrict)}) THEN CAST(${text} AS JSON) END`;
  },
};
