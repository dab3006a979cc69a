import type { Findings } from './findings.js';
import { type Inbox, keyOf } from './inbox.js';
import type { OutboxRow } from './outbox-row.js';

/** Whether the agent took what the outbox tells it. @returns how late it was told first, in ms; null when it never was */
export function judgeDelivery(
  tenant: string,
  escalationId: string,
  { id, round, step, agent, state, created_at, last_error }: OutboxRow,
  { receipts }: Pick<Inbox, 'receipts'>,
  { unreached }: Findings,
): number | null {
  const key = keyOf(tenant, escalationId, round, step, agent);
  const receipt = receipts.get(id);
  if (state !== 'DELIVERED' || !receipt?.isAccepted || receipt.key !== key) {
    const took = receipt?.isAccepted ? `took ${receipt.key}` : 'took nothing';
    unreached.push(`${key} (${id}): ${state}, and the agent ${took}; ${last_error ?? 'no error'}`);
  }
  return receipt ? receipt.firstAt - created_at.getTime() : null;
}

/** Nobody is notified twice of one thing, and of nothing that the outbox does not know. */
export function judgeReceipts(
  { receipts, strays }: Pick<Inbox, 'receipts' | 'strays'>,
  known: ReadonlySet<string>,
  { secondNotifications, differences }: Findings,
): void {
  differences.push(...strays);
  const ids = new Map<string, string>();
  for (const [id, { key }] of receipts) {
    const other = ids.get(key);
    if (other) secondNotifications.push(`${key}: ${other} and ${id}`);
    ids.set(key, id);
    if (!known.has(id)) differences.push(`${key}: ${id} was delivered, and is not in the outbox`);
  }
}
