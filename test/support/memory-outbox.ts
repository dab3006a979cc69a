import type { ChannelName } from '../../escalation/policy.js';
import type { Notification, Outbox } from '../../escalation/ports.js';
import type { ManualClock } from './manual-clock.js';

interface Row {
  notification: Notification;
  state: 'PENDING' | 'DELIVERED' | 'DEAD';
  channels: readonly ChannelName[];
  attempt: number;
  dueAt: number;
  leaseUntil: number;
  deliveredBy: ChannelName | null;
  lastError: string | null;
}

/** An outbox in the time of a test. The one of PostgreSQL has its own tests; this shows what a deliverer asks of it. */
export function memoryOutbox(clock: ManualClock, notifications: readonly Notification[]) {
  const rows = new Map<string, Row>();
  const holders = new Map<string, Notification>();
  const failing = new Set<keyof Outbox>();

  function add(notification: Notification): void {
    const { channels, attempt } = notification;
    const dueAt = clock.monotonicMs();
    rows.set(notification.id, {
      notification,
      state: 'PENDING',
      channels,
      attempt,
      dueAt,
      leaseUntil: 0,
      deliveredBy: null,
      lastError: null,
    });
  }
  for (const notification of notifications) add(notification);

  function row(id: string): Readonly<Row> {
    const found = rows.get(id);
    if (!found) throw new Error(`no notification ${id}`);
    return found;
  }

  function failOnce(name: keyof Outbox): void {
    if (failing.delete(name)) throw new Error('the database is away');
  }

  const isHeld = (notification: Notification) =>
    holders.get(notification.id) === notification && row(notification.id).leaseUntil > clock.monotonicMs();

  function end(notification: Notification, changes: Partial<Row>): boolean {
    if (!isHeld(notification)) return false;
    Object.assign(row(notification.id), { leaseUntil: 0, ...changes });
    holders.delete(notification.id);
    return true;
  }

  const dueOf = ({ dueAt, leaseUntil }: Row) => Math.max(dueAt, leaseUntil);
  const waiting = () => [...rows.values()].filter(({ state }) => state === 'PENDING');

  const outbox: Outbox = {
    async claim(limit, perAgent, leaseMs, _worker, except) {
      failOnce('claim');
      const now = clock.monotonicMs();
      const counts = new Map<string, number>();
      const due = waiting().filter((one) => dueOf(one) <= now && !except.includes(one.notification.agent));
      const claimed: Notification[] = [];
      for (const one of due) {
        const { agent } = one.notification;
        const count = counts.get(agent) ?? 0;
        if (count >= perAgent || claimed.length >= limit) continue;
        counts.set(agent, count + 1);
        one.leaseUntil = now + leaseMs;
        const notification = { ...one.notification, channels: one.channels, attempt: one.attempt };
        holders.set(notification.id, notification);
        claimed.push(notification);
      }
      return claimed;
    },
    async renew(held, leaseMs) {
      for (const notification of held)
        if (isHeld(notification)) Object.assign(row(notification.id), { leaseUntil: clock.monotonicMs() + leaseMs });
    },
    async delivered(notification, channel) {
      failOnce('delivered');
      return end(notification, { state: 'DELIVERED', deliveredBy: channel });
    },
    async retry(notification, channels, attempt, dueInMs, lastError) {
      return end(notification, { channels, attempt, dueAt: clock.monotonicMs() + dueInMs, lastError });
    },
    async dead(notification, lastError) {
      return end(notification, { state: 'DEAD', lastError });
    },
    async redeliver(_tenant, escalationId) {
      const dead = [...rows.values()].filter(
        ({ state, notification }) => state === 'DEAD' && notification.escalation.id === escalationId,
      );
      for (const { notification } of dead) add(notification);
      return dead.length;
    },
    async nextDueMs() {
      const next = waiting().map(dueOf);
      return next.length === 0 ? null : Math.min(...next) - clock.monotonicMs();
    },
  };

  return {
    ...outbox,
    add,
    row,
    pending: () => waiting().length,
    /** The next call of it fails. */
    fail: (name: keyof Outbox) => void failing.add(name),
  };
}
