import { attemptTable } from './attempt-table.js';
import { complaintText } from './client-failure.js';
import type { ExpectationLine, JobReport, QuarantinedRow } from './operations.js';
import { countText, durationText, percentText } from './quantities.js';
import { printable } from './terminal.js';
import { textTable } from './text-table.js';

const RAW_WIDTH = 160;

/** What a person wants to know when a job has ended, as lines. */
export function jobSummary(job: JobReport): string[] {
  const { edges, totalCount } = job.quarantine;
  const rows = edges.map((edge) => edge.node);
  return [
    ...headLines(job),
    // One attempt is what the head tells of already.
    ...section(job.attempts.length > 1 ? attemptTable(job.attempts) : []),
    ...section(expectationTable(job.expectations)),
    ...section(quarantineLines(rows, totalCount)),
  ];
}

function headLines(job: JobReport): string[] {
  const ms = elapsedMs(job);
  const took = ms === undefined ? '' : ` in ${durationText(ms)}`;
  const lines = [
    `Job ${printable(job.name)} (${job.id}) ${job.state.toLowerCase().replaceAll('_', ' ')}${took}.`,
    countsLine(job, ms),
  ];
  if (job.error !== null) {
    const { code, message, path, failureClass } = job.error;
    lines.push(printable(`${complaintText({ code, message, path: path ?? undefined })} [${failureClass}]`));
    lines.push(...sampleLines(job.error.details));
  }
  return lines;
}

function countsLine({ progress }: JobReport, ms: number | undefined): string {
  const parts = [
    `read ${countText(progress.rowsRead)}`,
    `loaded ${countText(progress.rowsLoaded)}`,
    ...(progress.rowsFiltered > 0 ? [`filtered ${countText(progress.rowsFiltered)}`] : []),
    ...(progress.rowsDeduplicated > 0 ? [`deduplicated ${countText(progress.rowsDeduplicated)}`] : []),
    ...(progress.rowsQuarantined > 0 ? [`quarantined ${countText(progress.rowsQuarantined)}`] : []),
    ...(progress.rowsReshaped !== 0 ? [`reshaped ${countText(progress.rowsReshaped)}`] : []),
  ];
  const rate =
    ms !== undefined && ms > 0 && progress.rowsRead > 0
      ? ` (${countText((progress.rowsRead * 1000) / ms)} rows/s end to end)`
      : '';
  return `  ${parts.join(', ')}${rate}`;
}

function elapsedMs({ startedAt, finishedAt }: JobReport): number | undefined {
  if (startedAt === null || finishedAt === null) return undefined;
  return Math.max(0, Date.parse(finishedAt) - Date.parse(startedAt));
}

/** The expectation report as a table; nothing when the job has none. */
export function expectationTable(expectations: readonly ExpectationLine[]): string[] {
  if (expectations.length === 0) return [];
  const rows = expectations.map((line) => [
    line.description,
    line.severity,
    countText(line.evaluated),
    countText(line.failed),
    percentText(line.percent),
    line.status,
  ]);
  return textTable(
    [
      { title: 'expectation', align: 'left' },
      { title: 'severity', align: 'left' },
      { title: 'evaluated', align: 'right' },
      { title: 'failed', align: 'right' },
      { title: '%', align: 'right' },
      { title: 'status', align: 'left' },
    ],
    rows,
  );
}

/** The first quarantined rows, each with every reason and the record as it was read. */
export function quarantineLines(rows: readonly QuarantinedRow[], total: number): string[] {
  if (rows.length === 0) return [];
  const title = `Quarantined rows (${countText(rows.length)} of ${countText(total)}):`;
  return [
    title,
    ...rows.flatMap((row) => [`  ${whereText(row)}`, ...row.reasons.map(reasonText), `    ${rawText(row.raw)}`]),
  ];
}

function whereText({ rowNumber, file }: QuarantinedRow): string {
  const row = rowNumber === null ? 'a derived row' : `row ${countText(rowNumber)}`;
  return printable(file === null ? row : `${row} of ${file}`);
}

function reasonText({ column, message, code }: QuarantinedRow['reasons'][number]): string {
  return printable(`    - ${column === null ? '' : `${column}: `}${message} (${code})`);
}

const rawText = (raw: string) => printable(raw.length > RAW_WIDTH ? `${raw.slice(0, RAW_WIDTH)}...` : raw);

/** The first offending rows of a failed job, when its error carries some. */
function sampleLines(details: unknown): string[] {
  if (typeof details !== 'object' || details === null || !('samples' in details)) return [];
  if (!Array.isArray(details.samples)) return [];
  return details.samples.slice(0, 5).map((sample: unknown) => `    ${rawText(JSON.stringify(sample))}`);
}

const section = (lines: readonly string[]) => (lines.length === 0 ? [] : ['', ...lines]);
