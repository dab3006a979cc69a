import { type Column, quoteIdentifier as q } from '../column.js';
import type { SinkBinding } from '../sinks/sink.js';
import { textLine } from './text-format.js';

/** JSON has no NaN and no Infinity: they are written as text, as PostgreSQL's `to_json` does. */
export function jsonValue({ name, type }: Column): string {
  const column = q(name);
  if (!/^(DOUBLE|FLOAT)$/.test(type)) return column;
  const word = `CASE WHEN isnan(${column}) THEN 'NaN' WHEN ${column} > 0 THEN 'Infinity' ELSE '-Infinity' END`;
  return `CASE WHEN isfinite(${column}) THEN to_json(${column}) ELSE to_json(${word}) END`;
}

/** A row as one JSON object, as the writer of files has it. No line of it can begin with a mark. */
const jsonLine = (columns: readonly Column[]): string =>
  `CAST(to_json(struct_pack(${columns.map((column) => `${q(column.name)} := ${jsonValue(column)}`).join(', ')})) AS VARCHAR)`;

/** A row as the line that the sink wants. */
export const rowLine = (columns: readonly Column[], staging: SinkBinding['staging']['kind']): string =>
  staging === 'JSON' ? jsonLine(columns) : textLine(columns);
