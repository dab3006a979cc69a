import { quoteIdentifier as q, quoteLiteral } from '../column.js';
import type { Message, Projection, Relation } from '../relation.js';

/** A numeric column without declared precision: kept as text that PostgreSQL is sure to take. */
export const NUMERIC_TEXT = 'NUMERIC_TEXT';
const NUMERIC_PATTERN = '\\s*[+-]?(\\d+\\.?\\d*|\\.\\d+)([eE][+-]?\\d+)?\\s*|\\s*NaN\\s*';
/** DuckDB alone would take `0044-03-15 BC` for a date after Christ, and drop any other words behind a date. */
const DATE_PATTERN =
  '\\s*(-?\\d{1,7}[-/]\\d{1,2}[-/]\\d{1,2}( \\(BC\\))?([ T][\\d:.]+(Z|[+-]\\d{2}(:?\\d{2})?)?)?|-?infinity|epoch)\\s*';
const INFINITE_PATTERN = '\\s*[+-]?(inf|infinity|nan)\\s*';
const INTEGER_PATTERN = '\\s*[+-]?\\d+\\s*';

const INTEGER = /^(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT|UTINYINT|USMALLINT|UINTEGER|UBIGINT)$/;
const FRACTIONAL = /^(FLOAT|DOUBLE|DECIMAL)/;

export interface Cast {
  readonly column: string;
  readonly from: string;
  /** DuckDB type, or NUMERIC_TEXT. */
  readonly to: string;
  /** strptime format of text to DATE, TIME, TIMESTAMP. */
  readonly format?: string;
  /** What is said of a value that cannot be cast. */
  readonly message: Message;
}

/**
 * Casts columns in place. A row with a value that cannot be cast without loss fails the check `CAST_FAILED`:
 * DuckDB alone would read '1.5', '1e3' and '0x1A' as integers and round 1.5 to 2; PostgreSQL's COPY would not.
 * Each conversion is computed once, as a hidden column that the flag and the value share.
 */
export function applyCasts(relation: Relation, casts: readonly Cast[]): void {
  const needed = casts.filter((cast) => cast.from !== cast.to || cast.format !== undefined);
  const tried = relation.addHidden(needed.map((cast) => convert(inputOf(cast), inputType(cast), cast.to, cast.format)));
  const strict = needed
    .map((cast, i) => ({ cast, tried: q(tried[i] ?? '') }))
    .filter(({ cast }) => isTextToInteger(cast));
  const values = new Map(needed.map((cast, i) => [cast.column, q(tried[i] ?? '')]));
  const exact = relation.addHidden(strict.map(({ cast, tried }) => wholeNumber(tried, inputOf(cast))));
  for (const [i, { cast }] of strict.entries()) values.set(cast.column, q(exact[i] ?? ''));
  relation.checks(
    needed
      .filter((cast) => cast.to !== 'VARCHAR')
      .map((cast) => ({
        column: cast.column,
        code: 'CAST_FAILED',
        violation: `${values.get(cast.column)} IS NULL AND ${inputOf(cast)} IS NOT NULL`,
        message: cast.message,
      })),
  );
  relation.replace(
    needed.map(
      ({ column, to }): Projection => ({
        name: column,
        sql: values.get(column) ?? q(column),
        type: to === NUMERIC_TEXT ? 'VARCHAR' : to,
      }),
    ),
  );
}

/** SQL that is true when the text could not be cast; for judging samples. */
export const castFails = (column: string, to: string): string => {
  const tried = convert(column, 'VARCHAR', to);
  const value = INTEGER.test(to) ? wholeNumber(tried, column) : tried;
  return `${value} IS NULL AND ${column} IS NOT NULL`;
};

/** JSON is cast through its text, so that "12" and 12 are the same number. */
const inputOf = ({ column, from, to }: Cast): string =>
  from === 'JSON' && to !== 'JSON' ? `(${q(column)} ->> '$')` : q(column);
const inputType = ({ from, to }: Cast): string => (from === 'JSON' && to !== 'JSON' ? 'VARCHAR' : from);
const isTextToInteger = (cast: Cast): boolean => INTEGER.test(cast.to) && inputType(cast) === 'VARCHAR';

function convert(value: string, from: string, to: string, format?: string): string {
  if (to === NUMERIC_TEXT) {
    if (INTEGER.test(from) || FRACTIONAL.test(from)) return `CAST(${value} AS VARCHAR)`;
    return `CASE WHEN regexp_full_match(${value}, '${NUMERIC_PATTERN}') THEN ${value} END`;
  }
  if (to === 'VARCHAR') return `CAST(${value} AS VARCHAR)`;
  if (to === 'JSON') {
    return from === 'VARCHAR' ? `CASE WHEN json_valid(${value}) THEN CAST(${value} AS JSON) END` : `to_json(${value})`;
  }
  if (format !== undefined) return `CAST(TRY_STRPTIME(${value}, ${quoteLiteral(format)}) AS ${to})`;
  if (INTEGER.test(to) && FRACTIONAL.test(from)) {
    return `CASE WHEN ${value} = trunc(${value}) THEN TRY_CAST(${value} AS ${to}) END`;
  }
  if (from === 'VARCHAR' && FRACTIONAL.test(to)) return fraction(value, to);
  if (from === 'VARCHAR' && to === 'DATE') {
    const tried = `TRY_CAST(${value} AS DATE)`;
    return `CASE WHEN CAST(${tried} AS VARCHAR) = ${value} OR regexp_full_match(${value}, '${DATE_PATTERN}') THEN ${tried} END`;
  }
  return `TRY_CAST(${value} AS ${to})`;
}

/** Neither `1_000`, nor a number so large that it would become infinite. */
function fraction(text: string, to: string): string {
  const tried = `TRY_CAST(${text} AS ${to})`;
  const finite = `isfinite(${tried}) OR regexp_full_match(${text}, '${INFINITE_PATTERN}', 'i')`;
  return `CASE WHEN NOT contains(${text}, '_')${to.startsWith('DECIMAL') ? '' : ` AND (${finite})`} THEN ${tried} END`;
}

/** Comparing with the number's own text settles nearly every value, at a fifth of the price of a pattern. */
const wholeNumber = (tried: string, text: string): string =>
  `CASE WHEN CAST(${tried} AS VARCHAR) = ${text} OR regexp_full_match(${text}, '${INTEGER_PATTERN}') THEN ${tried} END`;
