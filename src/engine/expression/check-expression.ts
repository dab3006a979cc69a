import { SluiceError } from '../../core/errors.js';
import type { Session } from '../session.js';
import { SCALAR_FUNCTIONS } from './allowed-functions.js';
import { nodesOf, parseSelect, type SqlNode } from './parse-sql.js';

/** Classes of nodes that make up a row-local expression. Anything else is refused by name. */
const ALLOWED_CLASSES = new Set([
  'BETWEEN',
  'CASE',
  'CAST',
  'COLLATE',
  'COLUMN_REF',
  'COMPARISON',
  'CONJUNCTION',
  'CONSTANT',
  'FUNCTION',
  'LAMBDA',
  'OPERATOR',
]);

const REFUSED_WORDS: Readonly<Record<string, string>> = {
  SUBQUERY: 'a subquery',
  WINDOW: 'a window function',
  STAR: '`*`',
  PARAMETER: 'a parameter',
};

/** A parsed expression; `sql` is safe to put between other SQL. */
export interface CheckedExpression {
  readonly sql: string;
  /** Column names it refers to, as written. */
  readonly columns: readonly string[];
}

/**
 * Accepts exactly one row-local expression: columns, constants, operators, CASE, casts and allowed functions.
 * @throws SluiceError EXPRESSION_INVALID, EXPRESSION_NOT_ALLOWED
 */
export async function checkExpression(session: Session, text: string): Promise<CheckedExpression> {
  // The line break ends a trailing `--` comment; the alias makes a second select item visible.
  const select = await parseSelect(session, `SELECT (${text}\n) AS v`);
  const items = select.select_list;
  if (!Array.isArray(items) || items.length !== 1 || !isBareSelect(select)) {
    throw new SluiceError(
      'EXPRESSION_NOT_ALLOWED',
      'Only one expression is allowed here: no FROM, WHERE or list of expressions.',
    );
  }
  const columns: string[] = [];
  const lambdaNames = new Set<string>();
  for (const node of nodesOf(items[0])) {
    if (typeof node.class !== 'string') continue;
    if (!ALLOWED_CLASSES.has(node.class)) {
      const what = REFUSED_WORDS[node.class] ?? node.class.toLowerCase();
      throw new SluiceError('EXPRESSION_NOT_ALLOWED', `An expression here may not use ${what}.`);
    }
    if (node.class === 'FUNCTION') checkFunction(node, SCALAR_FUNCTIONS);
    if (node.class === 'LAMBDA') for (const name of columnNames(node.lhs)) lambdaNames.add(name);
    if (node.class === 'COLUMN_REF') columns.push(...columnNames(node).slice(0, 1));
  }
  return { sql: `(${text}\n)`, columns: [...new Set(columns)].filter((name) => !lambdaNames.has(name)) };
}

/** @throws SluiceError EXPRESSION_NOT_ALLOWED */
export function checkFunction(node: SqlNode, ...allowed: readonly ReadonlySet<string>[]): void {
  const name = String(node.function_name).toLowerCase();
  const qualified = (node.schema !== '' && node.schema !== 'main') || node.catalog !== '';
  if (qualified || !allowed.some((set) => set.has(name))) {
    throw new SluiceError('EXPRESSION_NOT_ALLOWED', `The function \`${name}\` is not allowed here.`);
  }
}

function columnNames(node: unknown): readonly string[] {
  const names: string[] = [];
  for (const inner of nodesOf(node)) {
    if (inner.class === 'COLUMN_REF' && Array.isArray(inner.column_names))
      names.push(...inner.column_names.map(String));
  }
  return names;
}

function isBareSelect(select: SqlNode): boolean {
  const from = select.from_table;
  const emptyFrom = typeof from === 'object' && from !== null && 'type' in from && from.type === 'EMPTY';
  const nothing = ['where_clause', 'having', 'qualify', 'sample'].every((part) => select[part] === null);
  const noGroups = Array.isArray(select.group_expressions) && select.group_expressions.length === 0;
  const noModifiers = Array.isArray(select.modifiers) && select.modifiers.length === 0;
  return select.type === 'SELECT_NODE' && emptyFrom && nothing && noGroups && noModifiers;
}
