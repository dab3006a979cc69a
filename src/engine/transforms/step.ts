import type { InputPath } from '../../core/errors.js';
import { SluiceError } from '../../core/errors.js';
import { type Column, quoteIdentifier as q } from '../column.js';
import { checkExpression } from '../expression/check-expression.js';
import { HIDDEN_PREFIX, type Relation } from '../relation.js';
import type { Session } from '../session.js';

/** What a row-local step or expectation works on. Paths in errors are relative to its own options. */
export interface StepContext {
  readonly session: Session;
  readonly relation: Relation;
}

/** A step over all rows at once: the rows before it have been laid into `table`. */
export interface GlobalContext {
  readonly session: Session;
  /** Name or subquery to put behind FROM; has the visible and the hidden columns. */
  readonly table: string;
  readonly columns: readonly Column[];
  readonly hidden: readonly string[];
  /** SQL text of the raw record over hidden columns. */
  readonly raw: string;
}

export type StepBinding =
  | { readonly scope: 'ROW'; apply(context: StepContext): Promise<void> }
  | {
      readonly scope: 'GLOBAL';
      /** As what the rows count that go missing. */
      readonly missingRows: 'DEDUPLICATED' | 'RESHAPED';
      rebuild(context: GlobalContext): Promise<Relation>;
    };

/** @throws SluiceError UNKNOWN_COLUMN that names the columns there are */
export function requireColumn(columns: readonly Column[], name: string, path: InputPath): Column {
  const found = columns.find((column) => column.name === name);
  if (found !== undefined) return found;
  const near = columns.find((column) => column.name.toLowerCase() === name.toLowerCase());
  const hint =
    near === undefined ? `There are: ${columns.map((c) => c.name).join(', ')}.` : `Did you mean "${near.name}"?`;
  throw new SluiceError('UNKNOWN_COLUMN', `There is no column "${name}" here. ${hint}`, { path });
}

/** @throws SluiceError INVALID_INPUT for a name that the engine keeps for itself */
export function requireNewName(name: string, path: InputPath): void {
  if (name === '' || name.toLowerCase().startsWith(HIDDEN_PREFIX)) {
    throw new SluiceError('INVALID_INPUT', `"${name}" cannot be the name of a column.`, { path });
  }
}

/** @throws SluiceError DUPLICATE_COLUMN when two names are the same but for their case */
export function requireDistinct(names: readonly string[], path: InputPath): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name.toLowerCase())) {
      throw new SluiceError(
        'DUPLICATE_COLUMN',
        `There would be two columns "${name}" (case does not tell them apart).`,
        { path },
      );
    }
    seen.add(name.toLowerCase());
  }
}

/** A relation without rows that has these columns: lets DuckDB bind SQL without reading anything. */
export const emptyRelation = (columns: readonly Column[]): string =>
  `(SELECT ${columns.map((c) => `CAST(NULL AS ${c.type}) AS ${q(c.name)}`).join(', ')} LIMIT 0)`;

/**
 * A vetted expression over the visible columns, with its type.
 * @throws SluiceError EXPRESSION_INVALID, EXPRESSION_NOT_ALLOWED, UNKNOWN_COLUMN
 */
export async function bindExpression(
  { session, relation }: StepContext,
  text: string,
  path: InputPath,
): Promise<{ readonly sql: string; readonly type: string }> {
  try {
    const expression = await checkExpression(session, text);
    const known = new Map(relation.columns.map((column) => [column.name.toLowerCase(), column]));
    for (const name of expression.columns)
      if (!known.has(name.toLowerCase())) requireColumn(relation.columns, name, path);
    const [described] = await describe(
      session,
      `SELECT ${expression.sql} AS v FROM ${emptyRelation(relation.columns)}`,
    );
    return { sql: expression.sql, type: described?.type ?? 'VARCHAR' };
  } catch (error) {
    if (error instanceof SluiceError && error.path === undefined) throw error.under(...path);
    throw error;
  }
}

/** Names and types that a SELECT answers with. @throws SluiceError UNKNOWN_COLUMN, EXPRESSION_INVALID in DuckDB's words */
export async function describe(session: Session, select: string): Promise<readonly Column[]> {
  try {
    const rows = await session.query(`DESCRIBE ${select}`);
    return rows.map((row) => ({ name: String(row.column_name), type: String(row.column_type) }));
  } catch (error) {
    session.throwIfStopped();
    const words = error instanceof Error ? error.message : String(error);
    const unknown = /Referenced column "(.*)" (?:not found|was not found)/.exec(words)?.[1];
    if (unknown !== undefined) {
      throw new SluiceError('UNKNOWN_COLUMN', `There is no column "${unknown}" here.`, { cause: error });
    }
    throw new SluiceError('EXPRESSION_INVALID', `The SQL does not fit the columns: ${firstSentence(words)}`, {
      cause: error,
    });
  }
}

/** DuckDB's messages go on with the SQL and hints about functions; users need the first line. */
function firstSentence(words: string): string {
  const line = words.split('\n')[0] ?? words;
  return line.replace(/^[A-Z]\w+ Error: /, '');
}
