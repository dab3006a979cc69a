import { afterEach, beforeAll, beforeEach } from 'vitest';
import { type Deliverer, type DelivererOptions, startDeliverer } from '../../escalation/deliverer.js';
import { createNotifiers, type NotifiersOptions } from '../../escalation/notifiers/create-notifiers.js';
import type { ChannelName } from '../../escalation/policy.js';
import type { ContactStore, Outbox } from '../../escalation/ports.js';
import { systemClock } from '../../src/core/clock.js';
import { newId } from '../../src/core/ids.js';
import { createLog } from '../../src/core/log.js';
import { createAddressRules } from '../../src/core/safe-address.js';
import { createContactStore } from '../../src/store/contact-store.js';
import { createOutboxStore } from '../../src/store/outbox-store.js';
import type { Pool } from '../../src/store/pool.js';
import { freshDatabase } from './database.js';
import { eventually } from './eventually.js';
import { aSecret, policies } from './notification.js';
import { startSmtpServer, type TestSmtpServer } from './smtp-server.js';
import { startWebhookReceiver, type WebhookReceiver } from './webhook-receiver.js';

const log = createLog('silent');

interface Asked {
  readonly agent?: string;
  readonly channels?: readonly ChannelName[];
}

interface OutboxRow {
  readonly state: string;
  readonly escalation_id: string;
  readonly attempt: number;
  readonly channels: readonly string[];
  readonly delivered_by: string | null;
  readonly last_error: string | null;
  readonly due_in_s: number;
}

/** What an escalator's process delivers with. */
interface DeliveringProcess {
  readonly deliverer: Deliverer;
  wake(): void;
}

/**
 * An outbox in a database of the test file's own, and for each test a webhook of `chief-2` and a mail server. Call at
 * the top of the file.
 */
export function deliveryDesk() {
  const secret = aSecret();
  let pool: Pool;
  let outbox: Outbox;
  let contacts: ContactStore;
  let receiver: WebhookReceiver;
  let mailServer: TestSmtpServer;
  const running: { close(): Promise<void> }[] = [];

  beforeAll(async () => {
    ({ pool } = await freshDatabase());
    outbox = createOutboxStore(pool);
    contacts = createContactStore(pool);
  });
  beforeEach(async () => {
    receiver = await startWebhookReceiver(secret);
    mailServer = await startSmtpServer();
    running.push(receiver, mailServer);
    await webhookOf('chief-2', receiver.url);
  });
  afterEach(async () => {
    for (const one of running.splice(0).reverse()) await one.close();
    await pool.query('delete from sluice.escalation; delete from sluice.agent_contact');
  });

  const webhookOf = (agent: string, address: string, ...secrets: string[]) =>
    contacts.save('default', { agent, channel: 'WEBHOOK', address, isEnabled: true }, secrets[0] ?? secret);
  const emailOf = (agent: string) =>
    contacts.save('default', { agent, channel: 'EMAIL', address: `${agent}@example.org`, isEnabled: true }, null);

  /** Writes notifications as an opened escalation does. @returns their ids */
  async function ask({ agent = 'chief-2', channels = ['WEBHOOK'] }: Asked = {}, count = 1): Promise<string[]> {
    const escalationId = newId();
    await pool.query(
      `insert into sluice.escalation (id, dedup_key, title, failure_class, rule, confidence, owner, pipeline, policy_id,
         policy_version, status, state, agents, evidence_hash)
       values ($1::uuid, $1::uuid::text, 'the target drifted', 'PIPELINE_DECISION', 'rule', 1, 'layer-12', 'orders',
         'pipeline-decision', 3, 'ASKING', $2, array[$3], 'e')`,
      [
        escalationId,
        {
          step: 0,
          round: 0,
          climb: 0,
          asked: [agent],
          declined: [],
          holder: null,
          votes: [],
          verdict: null,
          failures: {},
        },
        agent,
      ],
    );
    const { rows } = await pool.query<{ id: string }>(
      `insert into sluice.notification (id, escalation_id, round, step, agent, purpose, channels)
       select gen_random_uuid(), $1, round, 0, $2, 'ASK', $3 from generate_series(1, $4::int) as round returning id`,
      [escalationId, agent, channels, count],
    );
    return rows.map(({ id }) => id);
  }

  async function row(id: string | undefined): Promise<OutboxRow> {
    const { rows } = await pool.query<OutboxRow>(
      `select state, escalation_id, attempt, channels, delivered_by, last_error,
         extract(epoch from due_at - statement_timestamp())::float8 as due_in_s
       from sluice.notification where id = $1`,
      [id],
    );
    const [found] = rows;
    if (!found) throw new Error(`no notification ${id}`);
    return found;
  }

  /** Leases are long, so that a slow machine does not lose them. */
  async function aProcess(options: Partial<DelivererOptions> = {}, channels: Partial<NotifiersOptions> = {}) {
    const { notifiers, close } = createNotifiers({
      contacts,
      policies,
      apiUrl: null,
      rules: createAddressRules(['127.0.0.1']),
      smtpUrl: mailServer.url,
      smtpFrom: 'sluice@example.org',
      clock: systemClock,
      log,
      webhooksPerSecond: 10_000,
      ...channels,
    });
    let wake = () => {};
    const deliverer = await startDeliverer({
      outbox,
      notifiers,
      wake: {
        async on(_what, run) {
          wake = () => run('default');
          return { stop: async () => undefined };
        },
      },
      clock: systemClock,
      log,
      random: () => 0,
      worker: newId(),
      leaseMs: 60_000,
      ...options,
    });
    running.push({
      async close() {
        await deliverer.stop();
        await close();
      },
    });
    const process: DeliveringProcess = { deliverer, wake: () => wake() };
    return process;
  }

  return {
    secret,
    /** Closed after the test, the last first. */
    running,
    get pool() {
      return pool;
    },
    get outbox() {
      return outbox;
    },
    get contacts() {
      return contacts;
    },
    get receiver() {
      return receiver;
    },
    get mailServer() {
      return mailServer;
    },
    webhookOf,
    emailOf,
    ask,
    row,
    aProcess,
    until: (id: string | undefined, condition: (found: OutboxRow) => boolean) =>
      eventually(async () => condition(await row(id))),
    makeDue: (id: string | undefined) =>
      pool.query(`update sluice.notification set due_at = statement_timestamp() - interval '1 s' where id = $1`, [id]),
    expireLease: (id: string | undefined) =>
      pool.query(`update sluice.notification set lease_until = statement_timestamp() - interval '1 s' where id = $1`, [
        id,
      ]),
    /** How many wait. */
    async undelivered(agent = '%'): Promise<number> {
      const { rows } = await pool.query<{ count: string }>(
        "select count(*) from sluice.notification where state = 'PENDING' and agent like $1",
        [agent],
      );
      return Number(rows[0]?.count);
    },
  };
}

export const isDelivered = ({ state }: Pick<OutboxRow, 'state'>): boolean => state === 'DELIVERED';
