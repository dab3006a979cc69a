import type { ChannelName } from '../../escalation/policy.js';
import type { Notification } from '../../escalation/ports.js';
import { appendByTenant, type TenantLogEntry } from './escalation-log.js';
import { type Pool, type PoolClient, withTransaction } from './pool.js';

/** How a notification leaves the outbox. */
export type Ending =
  | { readonly state: 'DELIVERED'; readonly channel: ChannelName }
  | { readonly state: 'DEAD'; readonly reason: string };

interface Gathered {
  readonly notification: Notification;
  readonly token: string | undefined;
  readonly ending: Ending;
  readonly resolve: (isOurs: boolean) => void;
  readonly reject: (error: unknown) => void;
}

/** So that one transaction does not hold the head of the log for long. */
const MOST = 200;

/**
 * Ends notifications and writes their rows of the log. The head of the log lets one transaction through at a time, and
 * each costs a flush to disk: whatever ends while one is under way shares the next.
 *
 * @returns resolves to whether the lease was still held; rejects, with nothing stored, as its transaction does
 */
export function createEndings(
  pool: Pool,
): (notification: Notification, token: string | undefined, ending: Ending) => Promise<boolean> {
  const waiting: Gathered[] = [];
  let isBusy = false;

  async function store(): Promise<void> {
    isBusy = true;
    while (waiting.length > 0) {
      const together = waiting.splice(0, MOST);
      try {
        const ours = await withTransaction(pool, (client) => endAll(client, together));
        for (const gathered of together) gathered.resolve(ours.has(gathered));
      } catch (error) {
        for (const { reject } of together) reject(error);
      }
    }
    isBusy = false;
  }

  return (notification, token, ending) =>
    new Promise((resolve, reject) => {
      waiting.push({ notification, token, ending, resolve, reject });
      if (!isBusy) void store();
    });
}

/** @returns those whose lease was still held */
async function endAll(client: PoolClient, together: readonly Gathered[]): Promise<ReadonlySet<Gathered>> {
  const rows = together.map(({ notification, token, ending }) => ({
    id: notification.id,
    token,
    state: ending.state,
    channel: ending.state === 'DELIVERED' ? ending.channel : null,
    reason: ending.state === 'DEAD' ? ending.reason : null,
  }));
  const { rows: ended } = await client.query<{ token: string; id: string }>(
    `update sluice.notification as n
     set lease_until = null, lease_token = null, state = e.state, delivered_by = e.channel,
       delivered_at = case when e.state = 'DELIVERED' then statement_timestamp() end,
       last_error = coalesce(e.reason, n.last_error)
     from jsonb_to_recordset($1) as e (id uuid, token uuid, state text, channel text, reason text)
     where n.id = e.id and n.lease_token = e.token and n.state = 'PENDING' returning n.id, e.token`,
    [JSON.stringify(rows)],
  );
  // By the token too: one that was claimed again meanwhile may end twice in the same transaction.
  const leases = new Set(ended.map(({ id, token }) => `${id} ${token}`));
  const ours = together.filter(({ notification, token }) => leases.has(`${notification.id} ${token}`));
  await appendByTenant(client, ours.map(logEntryFor));
  return new Set(ours);
}

function logEntryFor({ notification, ending }: Gathered): TenantLogEntry {
  const { agent, escalation, round, step, purpose, id } = notification;
  const how = ending.state === 'DELIVERED' ? { channel: ending.channel } : { reason: ending.reason };
  return {
    tenant: notification.tenant,
    escalationId: escalation.id,
    kind: ending.state === 'DELIVERED' ? 'DELIVERED' : 'UNDELIVERABLE',
    actor: 'deliverer',
    agents: [agent],
    status: escalation.state.status,
    data: { notification: id, round, step, purpose, ...how },
  };
}
