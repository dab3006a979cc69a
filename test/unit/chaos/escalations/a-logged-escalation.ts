import { plainJson } from '../../../../escalation/canonical-json.js';
import { decideChange } from '../../../../escalation/decide-change.js';
import type { Escalation, EscalationEvent } from '../../../../escalation/escalation.js';
import type { Change, LogEntry } from '../../../../escalation/ports.js';
import { openState } from '../../../../escalation/transition.js';
import { logEntryFor, notifiedBy } from '../../../../src/store/escalation-change.js';
import type { NewLogEntry } from '../../../../src/store/escalation-log.js';
import type { Stored } from '../../../chaos/escalations/judge-escalation.js';
import type { OutboxRow } from '../../../chaos/escalations/outbox-row.js';
import { anEscalation } from '../../../support/notification.js';
import { aContext, minute } from '../../escalation/a-policy.js';

/** The log's row is written a little after the decision, behind the lock of the log's head. */
const WRITTEN_AFTER_MS = 70;

/** What the database would hold of an escalation to which these events have happened, given with their minute. */
export function aLoggedEscalation(...events: readonly (readonly [number, EscalationEvent])[]): Stored {
  const ladder = aContext();
  const entries: LogEntry[] = [];
  const outbox: OutboxRow[] = [];

  function write(entry: NewLogEntry, at: Date, effects: Change['effects']): void {
    const seq = entries.length + 1;
    const written = new Date(at.getTime() + WRITTEN_AFTER_MS);
    // The store makes JSON of it, and objects again.
    const data = plainJson(entry.data) as LogEntry['data'];
    entries.push({ ...entry, data, tenant: 'default', seq, at: written, prevHash: '', hash: '' });
    for (const effect of effects) {
      if (effect.kind !== 'NOTIFY') continue;
      const { round, step, purpose } = effect;
      for (const agent of effect.agents) {
        const id = `${round}-${step}-${agent}`;
        outbox.push({ id, round, step, agent, purpose, state: 'PENDING', created_at: written, last_error: null });
      }
    }
  }

  const opened = openState(ladder, minute(0));
  let escalation: Escalation = anEscalation({ state: opened.state, version: 1, occurrences: 1 });
  const { step, round, asked, dueAt: nextDueAt, status } = opened.state;
  const open = { escalationId: escalation.id, kind: 'OPEN', actor: 'job', status };
  const data = { step, round, asked, nextDueAt };
  write({ ...open, agents: notifiedBy(opened.effects), data }, minute(0), opened.effects);
  for (const [at, event] of events) {
    const actor = 'agent' in event ? event.agent : event.kind === 'DECIDE' ? event.verdict.agent : 'engine';
    const cause = { actor, dueAt: event.kind === 'DUE' ? escalation.state.dueAt : null, comment: null };
    const change = decideChange(escalation, event, minute(at), cause, ladder);
    write(logEntryFor(change), minute(at), change.effects);
    escalation = { ...escalation, state: change.next, version: escalation.version + 1 };
  }
  return { escalation, entries, outbox, ladder };
}
