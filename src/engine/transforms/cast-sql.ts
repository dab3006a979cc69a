import { quoteIdentifier as q, quoteLiteral } from '../column.js';
import type { Message, Projection, Relation } from '../relation.js';
import { NUMERIC_TEXT, textCastOf } from './text/text-cast-of.js';

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
  const conversions = needed.map(conversionOf);
  const tried = relation.addHidden(conversions.map(({ attempt }) => attempt));
  const values = new Map(needed.map((cast, i) => [cast.column, q(tried[i] ?? '')]));
  const settling = conversions.flatMap(({ settle }, i) => {
    const [cast, attempt] = [needed[i], tried[i]];
    return settle && cast && attempt ? [{ column: cast.column, sql: settle(q(attempt)) }] : [];
  });
  const settled = relation.addHidden(settling.map(({ sql }) => sql));
  for (const [i, { column }] of settling.entries()) values.set(column, q(settled[i] ?? ''));
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
  const { attempt, settle } = ofText(column, to);
  return `${settle(attempt)} IS NULL AND ${column} IS NOT NULL`;
};

/** JSON is cast through its text, so that "12" and 12 are the same number. */
const inputOf = ({ column, from, to }: Cast): string =>
  from === 'JSON' && to !== 'JSON' ? `(${q(column)} ->> '$')` : q(column);
const inputType = ({ from, to }: Cast): string => (from === 'JSON' && to !== 'JSON' ? 'VARCHAR' : from);

interface Conversion {
  /** SQL of a first value. */
  readonly attempt: string;
  /** SQL of the final one, made from the first. */
  readonly settle?: (attempt: string) => string;
}

function conversionOf(cast: Cast): Conversion {
  const { to, format } = cast;
  const value = inputOf(cast);
  const from = inputType(cast);
  if (to === 'VARCHAR') return { attempt: `CAST(${value} AS VARCHAR)` };
  if (format !== undefined) return { attempt: `CAST(TRY_STRPTIME(${value}, ${quoteLiteral(format)}) AS ${to})` };
  if (from === 'VARCHAR') return ofText(value, to);
  if (to === NUMERIC_TEXT && (INTEGER.test(from) || FRACTIONAL.test(from)))
    return { attempt: `CAST(${value} AS VARCHAR)` };
  if (to === NUMERIC_TEXT) return ofText(`CAST(${value} AS VARCHAR)`, to);
  if (to === 'JSON') return { attempt: `to_json(${value})` };
  if (INTEGER.test(to) && FRACTIONAL.test(from)) {
    return { attempt: `CASE WHEN ${value} = trunc(${value}) THEN TRY_CAST(${value} AS ${to}) END` };
  }
  return { attempt: `TRY_CAST(${value} AS ${to})` };
}

function ofText(text: string, to: string): Required<Conversion> {
  const { attempt, settle } = textCastOf(to);
  return { attempt: attempt(text), settle: (tried) => settle(tried, text) };
}
