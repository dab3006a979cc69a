import type { Escalation } from '../../../escalation/escalation.js';
import type { LogEntry } from '../../../escalation/ports.js';
import type { LadderContext } from '../../../escalation/transition.js';
import type { AcceptedWrite } from './agents.js';
import type { Findings } from './findings.js';
import type { OutboxRow } from './outbox-row.js';
import { differsFromStored, keyWithin, type Replayed, replay } from './replay.js';

/** Parts of Sluice that act in the log beside agents. */
const OURS: readonly string[] = ['engine', 'job', 'monitor', 'person'];

/** Everything that is stored of one escalation. */
export interface Stored {
  readonly escalation: Escalation;
  readonly entries: readonly LogEntry[];
  readonly outbox: readonly OutboxRow[];
  readonly ladder: LadderContext;
}

/** Holds what is stored of an escalation against the state table, and against what agents were told. */
export function judgeEscalation(
  { escalation, entries, outbox, ladder }: Stored,
  accepted: ReadonlyMap<string, AcceptedWrite>,
  findings: Findings,
): Replayed {
  const name = `${escalation.tenant} ${escalation.pipeline} ${escalation.id}`;
  const replayed = replay(entries, ladder);
  const { differences, state, changes } = replayed;
  findings.differences.push(...differences.map((difference) => `${name}: ${difference}`));
  if (differences.length > 0) return replayed;
  const difference = differsFromStored(state, escalation);
  if (difference !== null) findings.differences.push(`${name}: ${difference}`);
  if (changes.length !== escalation.version) {
    findings.differences.push(`${name}: version ${escalation.version} after ${changes.length} changes`);
  }
  judgeOutbox(name, replayed, outbox, findings);
  judgeCounts(name, escalation, entries, outbox, findings);
  changes.forEach(({ kind, actor, state: after }, index) => {
    const version = index + 1;
    const told = accepted.get(`${escalation.id} ${version}`);
    const isOfAgent = !OURS.includes(actor) && kind !== 'OPEN';
    if (isOfAgent && (told?.kind !== kind || told.agent !== actor)) {
      findings.writes.push(`${name}: ${actor} did ${kind} (version ${version}), and was told of ${told?.kind}`);
    }
    if (told && !isOfAgent) findings.writes.push(`${name}: ${told.agent}'s ${told.kind} (version ${version}) is lost`);
    const next = changes[index + 1]?.kind;
    if (after.status === 'DECIDED' && next !== undefined && next !== 'APPLIED' && next !== 'FAILED') {
      findings.verdicts.push(`${name}: ${next} came between a verdict and its outcome`);
    }
  });
  const { status, dueAt } = escalation.state;
  if ((status !== 'RESOLVED' && status !== 'HELD') || dueAt !== null) {
    findings.standing.push(`${name}: ${status}, due at ${dueAt?.toISOString() ?? 'no time'}`);
  }
  return replayed;
}

function judgeOutbox(
  name: string,
  { wanted }: Replayed,
  outbox: readonly OutboxRow[],
  { missedSteps, differences }: Findings,
): void {
  const rows = new Map(outbox.map((row) => [keyWithin(row), row]));
  for (const [key, { purpose }] of wanted) {
    const row = rows.get(key);
    if (!row) missedSteps.push(`${name}: nobody notifies of ${key}`);
    else if (row.purpose !== purpose) differences.push(`${name}: ${key} is a ${row.purpose}, and should be ${purpose}`);
  }
  for (const key of rows.keys()) if (!wanted.has(key)) differences.push(`${name}: nobody wanted ${key} notified`);
}

function judgeCounts(
  name: string,
  escalation: Escalation,
  entries: readonly LogEntry[],
  outbox: readonly OutboxRow[],
  { differences }: Findings,
): void {
  const occurred = entries.filter(({ kind }) => kind === 'OCCURRED').length;
  if (escalation.occurrences !== 1 + occurred) {
    differences.push(`${name}: ${escalation.occurrences} occurrences, and ${occurred} rows of them in the log`);
  }
  const delivered = entries.flatMap(({ kind, data }) => (kind === 'DELIVERED' ? [String(data.notification)] : []));
  const expected = outbox.flatMap(({ id, state }) => (state === 'DELIVERED' ? [id] : []));
  if (delivered.toSorted().join() !== expected.toSorted().join()) {
    differences.push(`${name}: the log tells of ${delivered.length} deliveries, and the outbox of ${expected.length}`);
  }
}
