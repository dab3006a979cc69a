import { countText } from './quantities.js';
import type { FixAnswer, QuarantinedLine, QuarantineGroupLine } from './quarantine-operations.js';
import { printable } from './terminal.js';
import { textTable } from './text-table.js';

const SHOWN_CHARACTERS = 60;
const short = (text: string): string =>
  text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS - 1)}…` : text;

export function quarantineTable(rows: readonly QuarantinedLine[], total: number): string[] {
  if (rows.length === 0) return ['No quarantined rows.'];
  const table = textTable(
    [
      { title: 'id', align: 'right' },
      { title: 'row', align: 'right' },
      { title: 'status', align: 'left' },
      { title: 'reasons', align: 'left' },
      { title: 'record', align: 'left' },
    ],
    rows.map((row) => [
      row.id,
      row.rowNumber === null ? '' : String(row.rowNumber),
      row.status,
      row.reasons.map(({ code, column }) => (column === null ? code : `${code} ${column}`)).join(', '),
      short(row.fixedValues ?? row.raw),
    ]),
  );
  return total > rows.length ? [...table, `${rows.length} of ${countText(total)}`] : table;
}

export function groupTable(
  groups: readonly QuarantineGroupLine[],
  totalGroups: number,
  counts: readonly { readonly status: string; readonly rows: number }[],
): string[] {
  if (groups.length === 0) return ['No quarantined rows.'];
  const table = textTable(
    [
      { title: 'rows', align: 'right' },
      { title: 'code', align: 'left' },
      { title: 'column', align: 'left' },
      { title: 'expectation', align: 'right' },
      { title: 'sample', align: 'left' },
    ],
    groups.map(({ rows, code, column, expectation, sample }) => [
      countText(rows),
      code,
      column ?? '',
      expectation === null ? '' : String(expectation),
      short(sample.raw),
    ]),
  );
  const more = totalGroups > groups.length ? [`${groups.length} of ${countText(totalGroups)} groups`] : [];
  return [...table, ...more, counts.map(({ status, rows }) => `${status.toLowerCase()} ${countText(rows)}`).join(', ')];
}

/** @param isApplied whether the fix was stored, and not only tried */
export function fixReport({ rows, good, bad, fixed, reasons, samples }: FixAnswer, isApplied: boolean): string[] {
  const kept = isApplied ? `${countText(fixed)} are fixed now.` : 'Nothing is stored; --apply stores what is good.';
  return [
    `${countText(rows)} rows: ${countText(good)} good, ${countText(bad)} bad. ${kept}`,
    ...reasons.map(({ rows: n, code, column }) => printable(`  ${countText(n)} ${code} ${column ?? ''}`.trimEnd())),
    ...samples.flatMap((sample) => [
      printable(`  row ${sample.id ?? '-'}: ${short(sample.values)}`),
      ...sample.reasons.map(({ message }) => printable(`    ${message}`)),
    ]),
  ];
}
