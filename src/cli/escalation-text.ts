import type { EscalationHead, EscalationLogLine, EscalationReport } from './escalation-operations.js';
import { timeText } from './quantities.js';
import { printable } from './terminal.js';
import { textTable } from './text-table.js';

/** `ASKING, since ...` is for tables; this is who has to act. */
const whoText = ({ holder, asked }: EscalationHead): string =>
  holder === null ? asked.map(({ id }) => id).join(', ') || '-' : holder.id;

/** Escalations as a table, and how many there are in all. */
export function escalationTable(escalations: readonly EscalationHead[], total: number): string[] {
  if (escalations.length === 0) return ['No escalations.'];
  const columns = ['id', 'class', 'status', 'with', 'due', 'title'];
  const rows = escalations.map((one) => [
    one.id,
    one.failureClass,
    one.status,
    whoText(one),
    timeText(one.dueAt),
    one.title,
  ]);
  const table = textTable(
    columns.map((title) => ({ title, align: 'left' })),
    rows,
  );
  return total > escalations.length ? [...table, `${escalations.length} of ${total}`] : table;
}

/** One line after a write. */
export const escalationLine = (one: EscalationHead): string =>
  printable(
    `Escalation ${one.id} is ${one.status.toLowerCase()} (version ${one.version}), with ${whoText(one)}${one.dueAt === null ? '' : `, due ${timeText(one.dueAt)}`}: ${one.title}`,
  );

/** Everything that somebody needs to decide, evidence included. */
export function escalationReport(one: EscalationReport): string[] {
  const facts: readonly (readonly [string, string | null])[] = [
    ['status', `${one.status}, version ${one.version}`],
    ['class', `${one.failureClass} by rule ${one.rule}, confidence ${one.confidence}`],
    ['with', whoText(one)],
    ['due', timeText(one.dueAt)],
    ['owner', one.owner && `${one.owner.id} ${one.owner.name}`],
    ['job', one.job && `${one.job.name} (${one.job.id}) ${one.job.state}`],
    ['target', one.target],
    ['policy', one.policy && `${one.policy.id} version ${one.policy.version}, step ${one.step + 1}`],
    ['occurrences', String(one.occurrences)],
    ['verdicts', one.allowedVerdicts.join(', ') || '-'],
    ['decided', one.verdict && `${one.verdict.kind} by ${one.verdict.agent?.id ?? '?'}`],
    ['opened', timeText(one.openedAt)],
    ['resolved', one.resolvedAt && timeText(one.resolvedAt)],
  ];
  return [
    printable(`Escalation ${one.id}: ${one.title}`),
    ...facts.flatMap(([name, text]) => (text ? [printable(`  ${name.padEnd(12)}${text}`)] : [])),
    '',
    'Evidence:',
    ...(JSON.stringify(one.evidence, null, 2) ?? 'null').split('\n').map((line) => `  ${printable(line)}`),
    '',
    'Log:',
    ...logTable(one.log).map((line) => `  ${line}`),
  ];
}

function logTable(log: readonly EscalationLogLine[]): string[] {
  const columns = ['seq', 'at', 'what', 'who', 'status'];
  return textTable(
    columns.map((title, i) => ({ title, align: i === 0 ? 'right' : 'left' })),
    log.map(({ seq, at, kind, actor, status }) => [String(seq), at, kind, actor, status ?? '-']),
  );
}
