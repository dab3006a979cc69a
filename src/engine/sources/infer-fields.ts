import { quoteIdentifier as q, quoteLiteral } from '../column.js';
import type { Session } from '../session.js';

/** Fields that are looked at in one query; each one takes memory for itself. */
const FIELDS_AT_ONCE = 16;

/** From here on a double rounds integers, to this one among others. */
export const EXACT_IN_DOUBLE = 9007199254740992;

export interface Field {
  readonly name: string;
  /** BIGINT, UBIGINT, HUGEINT, DOUBLE, BOOLEAN, VARCHAR or JSON. */
  readonly type: string;
}

/** Structure of one object as `json_transform` takes it. */
export const shapeOf = (fields: readonly { readonly name: string; readonly as: string }[]): string =>
  quoteLiteral(JSON.stringify(Object.fromEntries(fields.map(({ name, as }) => [name, as]))));

/**
 * Types of the fields, from what `json_group_structure` says. That calls integers of both signs and everything mixed
 * JSON, and whatever has a fraction somewhere DOUBLE; here integers stay integers, and numbers that a double would
 * round stay JSON, which keeps their digits.
 * @param objects SELECT of the sampled records, as `doc`
 */
export async function inferFieldTypes(
  session: Session,
  objects: string,
  structure: Readonly<Record<string, unknown>>,
): Promise<readonly Field[]> {
  const fields: Field[] = [];
  const entries = Object.entries(structure);
  for (let start = 0; start < entries.length; start += FIELDS_AT_ONCE) {
    fields.push(...(await inferSome(session, objects, entries.slice(start, start + FIELDS_AT_ONCE))));
  }
  return fields;
}

async function inferSome(
  session: Session,
  objects: string,
  entries: readonly (readonly [string, unknown])[],
): Promise<readonly Field[]> {
  const doubtful = entries.map(([name]) => name).filter((_, i) => isDoubtful(entries[i]?.[1]));
  const seen = new Map<string, Seen>();
  if (doubtful.length > 0) {
    const shape = shapeOf(doubtful.map((name) => ({ name, as: 'JSON' })));
    const aggregates = doubtful.flatMap((name, i) => {
      const value = `f.${q(name)}`;
      const text = `(${value} ->> '$')`;
      const kind = `json_type(${value})`;
      const isInteger = `${kind} <> 'VARCHAR' AND NOT contains(${text}, '.') AND NOT contains(${text}, 'e')`;
      return [
        `list(DISTINCT ${kind}) FILTER (${kind} <> 'NULL')::JSON AS t${i}`,
        `coalesce(max(TRY_CAST(${text} AS UBIGINT)) FILTER (${kind} = 'UBIGINT') > 9223372036854775807, false) AS l${i}`,
        `coalesce(bool_or(${isInteger} AND isfinite(TRY_CAST(${text} AS DOUBLE)) AND abs(TRY_CAST(${text} AS DOUBLE)) >= ${EXACT_IN_DOUBLE}), false) AS u${i}`,
      ];
    });
    const [row] = await session.query(
      `SELECT ${aggregates.join(', ')} FROM (SELECT json_transform(doc, ${shape}) AS f FROM (${objects}))`,
    );
    for (const [i, name] of doubtful.entries()) {
      // A list of type names, made by the query above; null for a field that is null throughout.
      const types = (JSON.parse(String(row?.[`t${i}`] ?? '[]')) as string[] | null) ?? [];
      seen.set(name, { types, isLarge: row?.[`l${i}`] === true, isInexact: row?.[`u${i}`] === true });
    }
  }
  return entries.map(([name, type]) => ({ name, type: typeOf(type, seen.get(name)) }));
}

interface Seen {
  readonly types: readonly string[];
  /** Has integers beyond BIGINT. */
  readonly isLarge: boolean;
  /** Has integers that a double would round. */
  readonly isInexact: boolean;
}

const isDoubtful = (type: unknown): boolean =>
  type === 'UBIGINT' || type === 'BIGINT' || type === 'DOUBLE' || type === 'JSON' || type === 'HUGEINT';

function typeOf(structure: unknown, seen: Seen | undefined): string {
  if (seen === undefined) {
    if (structure === 'BOOLEAN' || structure === 'VARCHAR') return structure;
    // A field that is null in every sampled record can hold any text later.
    return structure === 'NULL' ? 'VARCHAR' : 'JSON';
  }
  const only = (...types: string[]): boolean => seen.types.every((type) => types.includes(type));
  if (seen.types.length === 0) return 'VARCHAR';
  if (only('UBIGINT', 'BIGINT')) {
    if (!seen.isLarge) return 'BIGINT';
    return seen.types.includes('BIGINT') ? 'HUGEINT' : 'UBIGINT';
  }
  if (only('UBIGINT', 'BIGINT', 'DOUBLE')) return seen.isInexact ? 'JSON' : 'DOUBLE';
  return 'JSON';
}
