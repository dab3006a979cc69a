import { quoteIdentifier } from '../column.js';
import { quoteTable, type TableName } from './copy-part.js';
import type { PostgresOptions } from './postgres-options.js';
import type { Problem } from './postgres-problems.js';
import type { PostgresTarget } from './postgres-target.js';

/** Types whose text form of a job's id is that id. */
const TYPES: readonly string[] = ['uuid', 'text'];

/** What keeps the column from carrying the id of the load. */
export function loadIdProblems({ schema, table, loadIdColumn }: PostgresOptions, target: PostgresTarget): Problem[] {
  if (loadIdColumn === undefined) return [];
  const problem = (message: string): Problem[] => [
    { code: 'TARGET_INCOMPATIBLE', column: loadIdColumn, message, path: ['loadIdColumn'] },
  ];
  const column = target.columns.find(({ name }) => name === loadIdColumn);
  const name = quoteIdentifier(loadIdColumn);
  const quoted = quoteTable({ schema, name: table });
  if (!column) {
    const alter = `ALTER TABLE ${quoted} ADD COLUMN ${name} uuid`;
    return problem(`${quoted} has no column ${name} for the id of the load; this would do: ${alter}.`);
  }
  if (TYPES.includes(column.baseType)) return [];
  return problem(
    `The column ${name} of ${quoted} is of type ${column.nativeType}; the id of a load needs ${TYPES.join(' or ')}.`,
  );
}

/**
 * An index over the id of the load in a table that is created. Ids grow with time and rows are appended, which a BRIN
 * index lives on: it is a few pages, and costs a load next to nothing.
 */
export const indexLoadIdSql = (table: TableName, column: string): string =>
  `CREATE INDEX ON ${quoteTable(table)} USING brin (${quoteIdentifier(column)})`;
