import { describe, expect, it } from 'vitest';
import { noFindings } from '../../../chaos/escalations/findings.js';
import { keyOf, type Receipt } from '../../../chaos/escalations/inbox.js';
import { judgeDelivery, judgeReceipts } from '../../../chaos/escalations/judge-deliveries.js';
import type { OutboxRow } from '../../../chaos/escalations/outbox-row.js';

const key = keyOf('default', 'e', 0, 1, 'ceo');
const aRow: OutboxRow = {
  id: 'n',
  round: 0,
  step: 1,
  agent: 'ceo',
  purpose: 'ASK',
  state: 'DELIVERED',
  created_at: new Date(1_000),
  last_error: null,
};
const aReceipt: Receipt = { key, agent: 'ceo', firstAt: 1_250, tries: 2, repeats: 1, isAccepted: true };

function judged(receipts: Readonly<Record<string, Receipt>>, row: OutboxRow = aRow) {
  const findings = noFindings();
  const inbox = { receipts: new Map(Object.entries(receipts)), strays: [] };
  const lateMs = judgeDelivery('default', 'e', row, inbox, findings);
  judgeReceipts(inbox, new Set([row.id]), findings);
  return { lateMs, kinds: Object.entries(findings).flatMap(([kind, cases]) => (cases.length > 0 ? [kind] : [])) };
}

describe('the judge of deliveries', () => {
  it('takes a notification that came twice under one id for delivered', () => {
    expect(judged({ n: aReceipt })).toEqual({ lateMs: 250, kinds: [] });
  });

  it.each([
    ['that never came', {}, aRow, 'unreached'],
    ['that its agent did not take', { n: { ...aReceipt, isAccepted: false } }, aRow, 'unreached'],
    ['of somebody else', { n: { ...aReceipt, key: keyOf('default', 'e', 0, 1, 'domain') } }, aRow, 'unreached'],
    ['that is still waiting', { n: aReceipt }, { ...aRow, state: 'PENDING' as const }, 'unreached'],
  ])('finds one %s', (_what, receipts, row, kind) => {
    expect(judged(receipts, row).kinds).toEqual([kind]);
  });

  it('finds a second one for the same step and agent, and one that the outbox does not know', () => {
    expect(judged({ n: aReceipt, other: aReceipt }).kinds).toEqual(['secondNotifications', 'differences']);
  });
});
