import { z } from 'zod';
import { SluiceError } from '../../core/errors.js';
import { quoteLiteral } from '../column.js';
import type { Session } from '../session.js';

/** A node of DuckDB's syntax tree as `json_serialize_sql` prints it. */
export type SqlNode = Readonly<Record<string, unknown>>;

const Serialized = z.discriminatedUnion('error', [
  z.object({ error: z.literal(false), statements: z.array(z.object({ node: z.record(z.string(), z.unknown()) })) }),
  z.object({ error: z.literal(true), error_message: z.string(), position: z.string().optional() }),
]);

/**
 * What DuckDB's parser makes of the SQL, as it writes it. Numbers that JSON does not have, and places in the text, which
 * JavaScript would round, are set to 0: neither says what is done.
 */
export async function readTree(session: Session, sql: string): Promise<unknown> {
  const [row] = await session.query(`SELECT json_serialize_sql(${quoteLiteral(sql)}) AS tree`);
  // Inside of a text a quote is escaped, so that these are members.
  return JSON.parse(String(row?.tree).replace(/"(query_location|value)":(?:\d{16,}|-?(?:Infinity|NaN))/g, '"$1":0'));
}

/**
 * The syntax tree of one SELECT, by DuckDB's own parser.
 * @throws SluiceError EXPRESSION_INVALID with the parser's words, EXPRESSION_NOT_ALLOWED for several statements
 */
export async function parseSelect(session: Session, sql: string): Promise<SqlNode> {
  const parsed = Serialized.parse(await readTree(session, sql));
  if (parsed.error) {
    if (/only select statements/i.test(parsed.error_message)) {
      throw new SluiceError('EXPRESSION_NOT_ALLOWED', 'Only a SELECT or an expression is allowed here.');
    }
    throw new SluiceError('EXPRESSION_INVALID', `The SQL does not parse: ${parsed.error_message}.`);
  }
  const [statement, ...others] = parsed.statements;
  if (statement === undefined || others.length > 0) {
    throw new SluiceError('EXPRESSION_NOT_ALLOWED', 'Exactly one statement is allowed here; remove the semicolon.');
  }
  return statement.node;
}

const isObject = (value: unknown): value is SqlNode => typeof value === 'object' && value !== null;

/** Every object in the tree, the root first. */
export function* nodesOf(value: unknown): Generator<SqlNode> {
  if (Array.isArray(value)) {
    for (const item of value) yield* nodesOf(item);
  } else if (isObject(value)) {
    yield value;
    for (const child of Object.values(value)) yield* nodesOf(child);
  }
}
