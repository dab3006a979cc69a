import { describe, expect, it } from 'vitest';
import type { LogEntry } from '../../../../escalation/ports.js';
import type { AcceptedWrite } from '../../../chaos/escalations/agents.js';
import { noFindings } from '../../../chaos/escalations/findings.js';
import { judgeEscalation, type Stored } from '../../../chaos/escalations/judge-escalation.js';
import { acknowledge, applied, decide, due, failed, resolve, toEnd } from '../../escalation/follow.js';
import { aLoggedEscalation } from './a-logged-escalation.js';

function findingsOf(stored: Stored, accepted: Readonly<Record<number, AcceptedWrite>> = {}) {
  const findings = noFindings();
  const byVersion = Object.entries(accepted).map(([version, write]) => [`${stored.escalation.id} ${version}`, write]);
  judgeEscalation(stored, new Map(byVersion as [string, AcceptedWrite][]), findings);
  return Object.fromEntries(Object.entries(findings).filter(([, cases]) => cases.length > 0));
}

const nothing = {};
const found = expect.arrayContaining([expect.any(String)]);
const changed = (stored: Stored, index: number, change: Partial<LogEntry>): Stored => ({
  ...stored,
  entries: stored.entries.map((entry, i) => (i === index ? { ...entry, ...change } : entry)),
});

describe('the judge of escalations', () => {
  it('finds nothing in what the state table has made, at whatever moment it was decided', () => {
    expect(findingsOf(aLoggedEscalation(...toEnd))).toEqual(nothing);
    // Decided 0.01 min after it was due, and long after the next one was due as well.
    expect(findingsOf(aLoggedEscalation([30.01, due], [500, due], [620, due]))).toEqual(nothing);
    const verdicts = aLoggedEscalation([1, acknowledge('domain')], [2, decide('domain')], [3, failed]);
    const accepted = { 2: { kind: 'ACKNOWLEDGE', agent: 'domain' }, 3: { kind: 'DECIDE', agent: 'domain' } } as const;
    expect(findingsOf(verdicts, accepted)).toEqual({ standing: found });
  });

  it('finds a step of which the outbox does not know', () => {
    const stored = aLoggedEscalation(...toEnd);
    expect(findingsOf({ ...stored, outbox: stored.outbox.slice(0, -1) })).toEqual({ missedSteps: found });
  });

  it('finds a notification that nobody wanted', () => {
    const stored = aLoggedEscalation(...toEnd);
    const [first] = stored.outbox;
    const more = first ? [{ ...first, round: 7 }] : [];
    expect(findingsOf({ ...stored, outbox: [...stored.outbox, ...more] })).toEqual({ differences: found });
  });

  it('finds an escalation that waits for ever', () => {
    expect(findingsOf(aLoggedEscalation([30, due]))).toEqual({ standing: found });
  });

  it('finds a row of the log that is missing, doubled, or says something else', () => {
    const stored = aLoggedEscalation(...toEnd);
    const { entries } = stored;
    const [first, second, third, ...rest] = entries;
    if (!first || !second || !third) throw new Error('there are four');
    expect(findingsOf({ ...stored, entries: [first, third, ...rest] })).toEqual({ differences: found });
    expect(findingsOf({ ...stored, entries: [first, second, second, third, ...rest] })).toEqual({ differences: found });
    for (const change of [
      { status: 'HELD' as const },
      { agents: ['ceo'] },
      { data: { ...second.data, step: 2 } },
      { data: { ...second.data, nextDueAt: new Date(0).toISOString() } },
    ]) {
      expect(findingsOf(changed(stored, 1, change))).toEqual({ differences: found });
    }
  });

  it('finds a state that is stored, and that the log does not lead to', () => {
    const stored = aLoggedEscalation(...toEnd);
    const { escalation } = stored;
    const other = { ...escalation, state: { ...escalation.state, failures: { '0:RETRY': 1 } } };
    expect(findingsOf({ ...stored, escalation: other })).toEqual({ differences: found });
    expect(findingsOf({ ...stored, escalation: { ...escalation, version: 9 } })).toEqual({ differences: found });
  });

  it('finds a write that its agent was told of and that is lost, and one that nobody made', () => {
    const stored = aLoggedEscalation([1, resolve]);
    const told = { kind: 'RESOLVE', agent: 'chief' } as const;
    expect(findingsOf(stored, { 2: told })).toEqual(nothing);
    expect(findingsOf(stored)).toEqual({ writes: found });
    expect(findingsOf(stored, { 2: { ...told, kind: 'SNOOZE' } })).toEqual({ writes: found });
    expect(findingsOf(aLoggedEscalation(...toEnd), { 2: told })).toEqual({ writes: found });
  });

  it('finds a delivery that the log does not know', () => {
    const stored = aLoggedEscalation([1, decide('ceo')], [2, applied]);
    const outbox = stored.outbox.map((row) => ({ ...row, state: 'DELIVERED' as const }));
    const accepted = { 2: { kind: 'DECIDE', agent: 'ceo' } } as const;
    expect(findingsOf({ ...stored, outbox }, accepted)).toEqual({ differences: found });
  });
});
