import { quoteLiteral } from '../column.js';
import type { Session } from '../session.js';
import { readTree } from './parse-sql.js';

/** Taking longer SQL apart costs more than anybody would read of it. */
const MAX_CHARACTERS = 256 * 1024;

/** Stands where a literal was. */
const ANY_VALUE = { type: { id: 'VARCHAR', type_info: null }, is_null: false, value: '?' };

/** A value as DuckDB's syntax tree has it, whatever it is the value of: a literal, a label of an enum. */
const isValue = (node: unknown): boolean =>
  typeof node === 'object' && node !== null && 'is_null' in node && node.is_null === false;

/**
 * A SELECT as DuckDB prints it, with `'?'` in the place of every literal: it says what is done, and tells nothing that
 * a user, a file or a setting has put into it. By DuckDB's own parser, so that none is overlooked.
 * @returns null when it is too long, or DuckDB cannot print it
 */
export async function withoutLiterals(session: Session, select: string): Promise<string | null> {
  if (select.length > MAX_CHARACTERS) return null;
  try {
    const tree = await readTree(session, select);
    const json = JSON.stringify(tree, (_key, node: unknown) => (isValue(node) ? ANY_VALUE : node));
    const [row] = await session.query(`SELECT json_deserialize_sql(${quoteLiteral(json)}::JSON) AS sql`);
    return typeof row?.sql === 'string' ? row.sql : null;
  } catch {
    session.throwIfStopped();
    return null;
  }
}
