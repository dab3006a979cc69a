import type { ChannelName } from '../../escalation/policy.js';
import type { Notification, Outbox } from '../../escalation/ports.js';
import { newId } from '../core/ids.js';
import { type EscalationRow, escalationOf } from './escalation-row.js';
import { createEndings } from './notification-endings.js';
import type { Pool } from './pool.js';

interface ClaimedRow {
  readonly notification: string;
  readonly agent: string;
  readonly purpose: Notification['purpose'];
  readonly round: number;
  readonly step: number;
  readonly channels: readonly ChannelName[];
  readonly attempt: number;
  readonly created_at: Date;
  readonly now: Date;
}

const CLAIMABLE = `n.state = 'PENDING' and n.due_at <= statement_timestamp()
  and (n.lease_until is null or n.lease_until <= statement_timestamp())`;

/** The outbox: rows are written with the change that they tell of, and leave it when an agent has them. */
export function createOutboxStore(pool: Pool): Outbox {
  /** Under which claim a notification is in hand; whatever ends it has to hold this still. */
  const tokens = new WeakMap<Notification, string>();

  const end = createEndings(pool);

  return {
    async claim(limit, perAgent, leaseMs, _worker, except) {
      const token = newId();
      // The agents by hops through their index: a flood for one of them does not have to be read to find the others.
      const { rows } = await pool.query<EscalationRow & ClaimedRow>(
        `with recursive agents as (
           (select agent from sluice.notification where state = 'PENDING' order by agent limit 1)
           union all
           select (select n.agent from sluice.notification as n where n.state = 'PENDING' and n.agent > agents.agent
                   order by n.agent limit 1)
           from agents where agents.agent is not null
         ), due as (
           select candidate.id from agents cross join lateral (
             select n.id, n.due_at from sluice.notification as n where n.agent = agents.agent and ${CLAIMABLE}
             order by n.due_at limit $2
           ) as candidate
           where agents.agent is not null and not agents.agent = any($5)
           order by candidate.due_at limit $1
         ), free as (
           -- Only what is taken is locked: a lock is a write.
           select n.id from sluice.notification as n where n.id in (select id from due) and ${CLAIMABLE}
           for update skip locked
         ), claimed as (
           update sluice.notification as n
           set lease_token = $3, lease_until = statement_timestamp() + $4 * interval '1 ms'
           from free where n.id = free.id returning n.*
         )
         select escalation.*, claimed.id as notification, claimed.agent, claimed.purpose, claimed.round, claimed.step,
           claimed.channels, claimed.attempt, claimed.created_at, statement_timestamp() as now
         from claimed join sluice.escalation on escalation.id = claimed.escalation_id order by claimed.due_at`,
        [limit, perAgent, token, leaseMs, [...except]],
      );
      return rows.map((row) => {
        const { agent, purpose, round, step, channels, attempt } = row;
        const notification: Notification = {
          id: row.notification,
          tenant: row.tenant,
          escalation: escalationOf(row),
          agent,
          purpose,
          round,
          step,
          channels,
          attempt,
          createdAt: row.created_at,
          claimedAt: row.now,
        };
        tokens.set(notification, token);
        return notification;
      });
    },

    async renew(notifications, leaseMs) {
      // Past those that are just being ended: waiting for one with another in hand could be a deadlock.
      await pool.query(
        `update sluice.notification set lease_until = statement_timestamp() + $3 * interval '1 ms'
         where id in (
           select n.id from unnest($1::uuid[], $2::uuid[]) as held (id, token)
           join sluice.notification as n on n.id = held.id and n.lease_token = held.token
           where n.state = 'PENDING' for update of n skip locked)`,
        [notifications.map(({ id }) => id), notifications.map((held) => tokens.get(held)), leaseMs],
      );
    },

    delivered: (notification, channel) => end(notification, tokens.get(notification), { state: 'DELIVERED', channel }),

    async retry(notification, channels, attempt, dueInMs, reason) {
      const { rowCount } = await pool.query(
        `update sluice.notification set lease_until = null, lease_token = null, channels = $3, attempt = $4,
           due_at = statement_timestamp() + $5 * interval '1 ms', last_error = $6
         where id = $1 and lease_token = $2 and state = 'PENDING'`,
        [notification.id, tokens.get(notification), [...channels], attempt, dueInMs, reason],
      );
      return rowCount === 1;
    },

    dead: (notification, reason) => end(notification, tokens.get(notification), { state: 'DEAD', reason }),

    async redeliver(tenant, escalationId) {
      const { rowCount } = await pool.query(
        `update sluice.notification as n set state = 'PENDING', attempt = 0, due_at = statement_timestamp(),
           channels = case when cardinality(n.channels) = 0 then '{FEED}' else n.channels end
         where tenant = $1 and escalation_id = $2 and state = 'DEAD'`,
        [tenant, escalationId],
      );
      return rowCount ?? 0;
    },

    async nextDueMs() {
      const { rows } = await pool.query<{ ms: number | null }>(
        `select (extract(epoch from min(greatest(due_at, lease_until)) - statement_timestamp()) * 1000)::float8 as ms
         from sluice.notification where state = 'PENDING'`,
      );
      return rows[0]?.ms ?? null;
    },
  };
}
