import { BLANKS, naming, type TextCast } from './text-cast.js';

const PARTS = `['sign', 'whole', 'fraction', 'power']`;
const NUMBER = '([+-]?)(\\d*)\\.?(\\d*)(?:[eE]([+-]?\\d+))?';

/** PostgreSQL refuses powers of ten from here on, whatever they are the power of. */
const MOST_POWER = 1_073_741_823;
/** Zeros that are enough to leave every DECIMAL, on either side of the point. */
const MOST_ZEROS = 1_000;

const powerOf = (parts: string): string =>
  `CASE WHEN ${parts}.power = '' THEN 0 WHEN abs(TRY_CAST(${parts}.power AS INTEGER)) < ${MOST_POWER} THEN TRY_CAST(${parts}.power AS INTEGER) END`;

const digitsOf = (parts: string): string => `concat(${parts}.whole, ${parts}.fraction)`;

const partsOf = (text: string): string => `regexp_extract(${text}, '^${BLANKS}${NUMBER}${BLANKS}$', ${PARTS})`;

const hasExponent = (text: string): string => `contains(${text}, 'e') OR contains(${text}, 'E')`;

/** A number of a fixed scale, rounded half away from zero. DuckDB alone would take a sign before a blank for 0. */
export const decimals = (type: string): TextCast => ({
  attempt: (text) => `TRY_CAST(${text} AS ${type})`,
  settle: (attempt, text) =>
    `CASE WHEN contains(${text}, '_') OR (${attempt} = 0 AND NOT regexp_matches(${text}, '\\d')) THEN NULL WHEN ${hasExponent(text)} THEN TRY_CAST(${withoutExponent(text)} AS ${type}) ELSE ${attempt} END`,
});

/** The same number with its point moved: DuckDB rounds numbers with an exponent wrongly, 8e-40 to 0.01. */
function withoutExponent(text: string): string {
  const zeros = (count: string): string => `repeat('0', least(${count}, ${MOST_ZEROS}))`;
  // What is no number has no digits.
  const moved = (n: string): string => `{sign: ${n}.sign, digits: ${digitsOf(n)},
    point: CASE WHEN ${digitsOf(n)} <> '' THEN length(${n}.whole) + (${powerOf(n)}) END}`;
  const written = (n: string): string => `CASE WHEN ${n}.point IS NULL THEN NULL
    WHEN ${n}.point <= 0 THEN concat(${n}.sign, '0.', ${zeros(`-${n}.point`)}, ${n}.digits)
    WHEN ${n}.point >= length(${n}.digits) THEN concat(${n}.sign, ${n}.digits, ${zeros(`${n}.point - length(${n}.digits)`)})
    ELSE concat(${n}.sign, substr(${n}.digits, 1, ${n}.point), '.', substr(${n}.digits, ${n}.point + 1)) END`;
  return naming(naming(partsOf(text), 'number', moved), 'moved', written);
}

/** "Table 8.2. Numeric Types": digits before and behind the point of a numeric without precision. */
const MOST_WHOLE = 131_072;
const MOST_FRACTION = 16_383;

/** Whether PostgreSQL's numeric can hold the number, which is known to be one. */
export function fitsNumeric(number: string): string {
  const fits = (n: string): string => {
    const significant = `ltrim(${digitsOf(n)}, '0')`;
    const [power, scale] = [`(${powerOf(n)})`, `length(${n}.fraction)`];
    // Digits before the point are those from the first significant one on, less those behind the point.
    return `coalesce(${scale} - ${power} <= ${MOST_FRACTION} AND
      (${significant} = '' OR length(${significant}) - ${scale} + ${power} <= ${MOST_WHOLE}), false)`;
  };
  const isShort = `strlen(${number}) <= ${MOST_FRACTION} AND NOT (${hasExponent(number)})`;
  return `((${isShort}) OR ${naming(partsOf(number), 'number', fits)})`;
}

const FINITE = `${BLANKS}[+-]?(\\d+\\.?\\d*|\\.\\d+)([eE][+-]?\\d+)?${BLANKS}`;
const NOT_FINITE = `${BLANKS}(NaN|[+-]?inf(inity)?)${BLANKS}`;

/** A number of any size and scale: it stays text that PostgreSQL is sure to take. */
export const numericTexts: TextCast = {
  attempt: (text) => text,
  settle: (_attempt, text) =>
    `CASE WHEN regexp_full_match(${text}, '${FINITE}') AND ${fitsNumeric(text)} OR regexp_full_match(${text}, '${NOT_FINITE}', 'i') THEN ${text} END`,
};
