import { BLANKS } from './text-cast.js';

// Four digits at least, since fewer are a day or a month to PostgreSQL; and there is no year 0.
const YEAR = '(?:000[1-9]|00[1-9]\\d|0[1-9]\\d\\d|[1-9]\\d{3,6})';
const MINUTE = '(?:[01]?\\d|2[0-3]):[0-5]?\\d';
const SECOND = ':[0-5]?\\d';
const OFFSET = '[+-](?:0\\d|1[0-5])(?::?[0-5]\\d)?';

/** What DuckDB reads just as PostgreSQL does. */
export const PLAIN_DATE = `${YEAR}-\\d{1,2}-\\d{1,2}`;
export const PLAIN_TIME = `${MINUTE}${SECOND}(\\.\\d{1,6})?`;
export const PLAIN_LOCAL = `${PLAIN_DATE}[ T]${PLAIN_TIME}`;
export const PLAIN_MOMENT = `${PLAIN_LOCAL}(Z|${OFFSET})?`;
export const WORD = `${BLANKS}(-?infinity|epoch)${BLANKS}`;

const ANY_DATE = `(${PLAIN_DATE}|${YEAR}/\\d{1,2}/\\d{1,2})`;
const ANY_TIME = `(${MINUTE}|24:00?)(${SECOND})?(?:(\\.\\d*))?(Z| ?UTC|${OFFSET})?`;

/** A pattern and what its groups are called. */
export interface Parts {
  readonly pattern: string;
  readonly names: string;
}

export const TIME: Parts = {
  pattern: `^${BLANKS}${ANY_TIME}${BLANKS}$`,
  names: `['minute', 'second', 'fraction', 'zone']`,
};

/** PostgreSQL writes the era at the end, DuckDB in parentheses behind the date; either is read. */
export const MOMENT: Parts = {
  pattern: `^${BLANKS}${ANY_DATE}( ?\\(BC\\)| ?BC)?(?:[ T]${ANY_TIME})?( BC)?${BLANKS}$`,
  names: `['date', 'era', 'minute', 'second', 'fraction', 'zone', 'last']`,
};

/** The date of parts as DuckDB reads it. */
export const dateOf = (parts: string): string =>
  `concat(replace(${parts}.date, '/', '-'), CASE WHEN ${parts}.era <> '' OR ${parts}.last <> '' THEN ' (BC)' ELSE '' END)`;

export const secondOf = (parts: string): string => `CASE WHEN ${parts}.second = '' THEN ':00' ELSE ${parts}.second END`;

/** The offset of parts as DuckDB reads it. */
export const zoneOf = (parts: string): string =>
  `CASE WHEN ltrim(${parts}.zone) IN ('', 'Z', 'UTC') THEN '+00' ELSE ${parts}.zone END`;

/** Microseconds of the fraction. PostgreSQL rounds what is behind the sixth digit, as a double; DuckDB cuts it off. */
export const microsOf = (parts: string): string =>
  `CAST(CASE WHEN length(${parts}.fraction) < 2 THEN 0 ELSE round_even(CAST(concat('0', ${parts}.fraction) AS DOUBLE) * 1000000, 0) END AS BIGINT)`;

/** A fraction needs a second to be one of, and the day ends with 24:00 sharp. */
export const isTime = (parts: string): string =>
  `(${parts}.fraction = '' OR ${parts}.second <> '') AND (${parts}.minute NOT IN ('24:00', '24:0') OR ${secondOf(parts)} IN (':00', ':0') AND ${microsOf(parts)} = 0)`;

export const isMoment = (parts: string): string => `${isTime(parts)} AND (${parts}.era = '' OR ${parts}.last = '')`;
