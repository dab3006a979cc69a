import { printable } from './terminal.js';

export interface TableColumn {
  readonly title: string;
  readonly align: 'left' | 'right';
}

/** Columns as wide as their longest cell; a rule below the titles. */
export function textTable(columns: readonly TableColumn[], rows: readonly (readonly string[])[]): string[] {
  const cells = rows.map((row) => columns.map((_, i) => oneLine(row[i] ?? '')));
  const widths = columns.map((column, i) => Math.max(column.title.length, ...cells.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    columns
      .map((column, i) => (column.align === 'right' ? padStart(row[i], widths[i]) : padEnd(row[i], widths[i])))
      .join('  ')
      .trimEnd();
  return [line(columns.map((column) => column.title)), widths.map((w) => '-'.repeat(w)).join('  '), ...cells.map(line)];
}

const oneLine = (text: string) => printable(text.replace(/\s+/g, ' '));
const padStart = (text = '', width = 0) => text.padStart(width);
const padEnd = (text = '', width = 0) => text.padEnd(width);
