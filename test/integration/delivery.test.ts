import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Deliverer, type DelivererOptions, startDeliverer } from '../../escalation/deliverer.js';
import { createNotifiers, type NotifiersOptions } from '../../escalation/notifiers/create-notifiers.js';
import { createAddressRules } from '../../escalation/notifiers/safe-address.js';
import type { ChannelName } from '../../escalation/policy.js';
import type { ContactStore, Outbox } from '../../escalation/ports.js';
import { systemClock } from '../../src/core/clock.js';
import { newId } from '../../src/core/ids.js';
import { createLog } from '../../src/core/log.js';
import { createContactStore } from '../../src/store/contact-store.js';
import { createOutboxStore } from '../../src/store/outbox-store.js';
import type { Pool } from '../../src/store/pool.js';
import { freshDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { aSecret, policies } from '../support/notification.js';
import { startSmtpServer, type TestSmtpServer } from '../support/smtp-server.js';
import { startWebhookReceiver, status, type WebhookReceiver } from '../support/webhook-receiver.js';

const log = createLog('silent');
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

interface Asked {
  readonly agent?: string;
  readonly channels?: readonly ChannelName[];
}

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

interface Row {
  readonly state: string;
  readonly attempt: number;
  readonly channels: readonly string[];
  readonly delivered_by: string | null;
  readonly last_error: string | null;
  readonly due_in_s: number;
}

async function row(id: string | undefined): Promise<Row> {
  const { rows } = await pool.query<Row>(
    `select state, attempt, channels, delivered_by, last_error,
       extract(epoch from due_at - statement_timestamp())::float8 as due_in_s
     from sluice.notification where id = $1`,
    [id],
  );
  const [found] = rows;
  if (!found) throw new Error(`no notification ${id}`);
  return found;
}

const makeDue = (id: string | undefined) =>
  pool.query(`update sluice.notification set due_at = statement_timestamp() - interval '1 s' where id = $1`, [id]);
const expireLease = (id: string | undefined) =>
  pool.query(`update sluice.notification set lease_until = statement_timestamp() - interval '1 s' where id = $1`, [id]);

interface Process {
  readonly deliverer: Deliverer;
  wake(): void;
}

/** What an escalator's process runs. Leases are long, so that a slow machine does not lose them. */
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
  const process: Process = { deliverer, wake: () => wake() };
  return process;
}

const until = (id: string | undefined, condition: (found: Row) => boolean) =>
  eventually(async () => condition(await row(id)));
const isDelivered = ({ state }: Row) => state === 'DELIVERED';

describe('a notification in the outbox', () => {
  it('reaches the webhook of its agent, signed, and is delivered', async () => {
    const [id] = await ask();
    await aProcess();
    await until(id, isDelivered);
    expect(await row(id)).toMatchObject({ delivered_by: 'WEBHOOK' });
    expect(receiver.calls).toMatchObject([{ id, isVerified: true }]);
  });

  it('of a killed process is sent again under the same webhook-id, which the receiver drops', async () => {
    const [id] = await ask();
    // Sent, and killed before that was stored.
    const [claimed] = await outbox.claim(10, 10, 60_000, newId(), []);
    const killed = createNotifiers({
      contacts,
      policies,
      apiUrl: null,
      rules: createAddressRules(['127.0.0.1']),
      smtpUrl: undefined,
      smtpFrom: 'sluice@example.org',
      clock: systemClock,
      log,
    });
    running.push(killed);
    const webhook = killed.notifiers.find(({ channel }) => channel === 'WEBHOOK');
    if (!claimed || !webhook) throw new Error('nothing to deliver');
    expect(await webhook.deliver(claimed, new AbortController().signal)).toEqual({ kind: 'DELIVERED' });

    const { wake } = await aProcess();
    await expireLease(id);
    wake();
    await until(id, isDelivered);
    expect(receiver.calls.map((call) => call.id)).toEqual([id, id]);
    expect([...receiver.messages.keys()]).toEqual([id]);
    // The killed one comes too late.
    expect(await outbox.delivered(claimed, 'WEBHOOK')).toBe(false);
    expect(await outbox.retry(claimed, ['WEBHOOK'], 1, 0, 'late')).toBe(false);
  });

  it('whose receiver has not answered when the process ends is sent again under the same webhook-id', async () => {
    const [id] = await ask();
    let isCut = false;
    receiver.answer((_call, response) => response.on('close', () => (isCut = true)));
    const { deliverer } = await aProcess({ patienceMs: 0 });
    await eventually(() => receiver.calls.length === 1);
    await deliverer.stop();
    await eventually(() => isCut);
    expect(await row(id)).toMatchObject({ state: 'PENDING', attempt: 0, last_error: null });

    receiver.answer(status(204));
    await expireLease(id);
    await aProcess();
    await until(id, isDelivered);
    expect(receiver.calls.map((call) => call.id)).toEqual([id, id]);
  });

  it('keeps its lease for as long as the call lasts', async () => {
    const [id] = await ask();
    const answers: (() => void)[] = [];
    receiver.answer((_call, response) => void answers.push(() => response.writeHead(204).end()));
    await aProcess({ leaseMs: 200 });
    await aProcess({ leaseMs: 200 });
    await eventually(() => answers.length > 0);
    // The lease is over and over renewed: seen by its end moving on by more than its length.
    const leaseUntil = async () =>
      (await pool.query<{ until: Date }>('select lease_until as until from sluice.notification where id = $1', [id]))
        .rows[0]?.until;
    const first = await leaseUntil();
    await eventually(async () => Number(await leaseUntil()) > Number(first) + 200);
    for (const answer of answers) answer();
    await until(id, isDelivered);
    expect(receiver.messages.size).toBe(1);
  });

  it('is called for by two processes, and each is sent once', async () => {
    const ids = await ask({}, 100);
    await aProcess();
    await aProcess();
    await eventually(async () => (await undelivered()) === 0);
    expect(receiver.calls.map(({ id }) => id).sort()).toEqual([...ids].sort());
  });

  it('waits as long as 429 and Retry-After say, and is delivered then', async () => {
    const [id] = await ask();
    receiver.answer(status(429, { 'retry-after': '1800' }));
    const { wake } = await aProcess();
    await until(id, ({ attempt }) => attempt === 1);
    const { due_in_s, last_error } = await row(id);
    expect(last_error).toBe('WEBHOOK: it answered 429');
    expect(due_in_s).toBeGreaterThan(1_700);
    expect(due_in_s).toBeLessThanOrEqual(1_800);
    receiver.answer(status(202));
    await makeDue(id);
    wake();
    await until(id, isDelivered);
    expect(receiver.calls.map((call) => call.id)).toEqual([id, id]);
  });

  it.each([
    ['no answer', () => undefined],
    ['500', status(500)],
    ['404', status(404)],
  ])('is tried again after %s', async (_title, answer) => {
    const [id] = await ask();
    receiver.answer(answer);
    const { wake } = await aProcess({ timeoutMs: 300 });
    await until(id, ({ attempt }) => attempt >= 1);
    receiver.answer(status(200));
    await makeDue(id);
    wake();
    await until(id, isDelivered);
    expect(receiver.messages.size).toBe(1);
  });

  it('is delivered whatever comes after the status', async () => {
    const [id] = await ask();
    receiver.answer((_call, response) => {
      const more = () => {
        while (response.write(Buffer.alloc(65_536)));
        response.once('drain', more);
      };
      response.writeHead(200);
      more();
    });
    await aProcess();
    await until(id, isDelivered);
  });

  it('is verified by receivers with the old and with the new secret while it is being replaced', async () => {
    const newer = aSecret();
    const changed = await startWebhookReceiver(newer);
    running.push(changed);
    await webhookOf('chief-2', receiver.url, newer);
    await webhookOf('layer-20', changed.url);
    await webhookOf('layer-20', changed.url, newer);
    const [old] = await ask();
    const [fresh] = await ask({ agent: 'layer-20' });
    await aProcess();
    await until(old, isDelivered);
    await until(fresh, isDelivered);
    expect([...receiver.messages.keys(), ...changed.messages.keys()]).toEqual([old, fresh]);
  });
});

describe('the next channel', () => {
  it('is taken when the webhook is gone, which disables it', async () => {
    await emailOf('chief-2');
    const [id] = await ask({ channels: ['WEBHOOK', 'EMAIL'] });
    receiver.answer(status(410));
    const { wake } = await aProcess();
    await until(id, isDelivered);
    expect(await row(id)).toMatchObject({ delivered_by: 'EMAIL' });
    expect(mailServer.mails[0]?.to).toEqual(['chief-2@example.org']);
    expect((await contacts.find('default', 'chief-2', 'WEBHOOK'))?.contact).toMatchObject({
      isEnabled: false,
      disabledReason: 'it answered 410 Gone',
    });
    const [second] = await ask({ channels: ['WEBHOOK', 'EMAIL'] });
    wake();
    await until(second, isDelivered);
    expect(receiver.calls).toHaveLength(1);
  });

  it('is taken when the webhook redirects', async () => {
    await emailOf('chief-2');
    const [id] = await ask({ channels: ['WEBHOOK', 'EMAIL'] });
    receiver.answer(status(307, { location: receiver.url }));
    await aProcess();
    await until(id, isDelivered);
    expect(await row(id)).toMatchObject({ delivered_by: 'EMAIL' });
    expect(receiver.calls).toHaveLength(1);
  });

  it('is taken when the webhook lies inside and is not allowed', async () => {
    const [id] = await ask({ channels: ['WEBHOOK', 'FEED'] });
    await aProcess({}, { rules: createAddressRules([]) });
    await until(id, isDelivered);
    expect(await row(id)).toMatchObject({ delivered_by: 'FEED' });
    expect(receiver.calls).toEqual([]);
  });

  it('is waited for while the mail server is down', async () => {
    await emailOf('layer-20');
    const [id] = await ask({ agent: 'layer-20', channels: ['WEBHOOK', 'EMAIL'] });
    const { port } = mailServer;
    await mailServer.close();
    const { wake } = await aProcess();
    await until(id, ({ attempt }) => attempt >= 1);
    expect(await row(id)).toMatchObject({ state: 'PENDING', channels: ['EMAIL'] });
    mailServer = await startSmtpServer(port);
    running.push(mailServer);
    await makeDue(id);
    wake();
    await until(id, isDelivered);
    expect(mailServer.mails).toHaveLength(1);
  });

  it('is missing: the notification is dead with the reasons, until it is redelivered', async () => {
    await contacts.disable('default', 'chief-2', 'WEBHOOK', 'test');
    const [id] = await ask({ channels: ['WEBHOOK', 'EMAIL'] });
    const { wake } = await aProcess();
    await until(id, ({ state }) => state === 'DEAD');
    expect((await row(id)).last_error).toBe('WEBHOOK: the webhook is disabled; EMAIL: the agent has no email address');
    await webhookOf('chief-2', receiver.url);
    const { rows } = await pool.query<{ escalation_id: string }>('select escalation_id from sluice.notification');
    expect(await outbox.redeliver('default', rows[0]?.escalation_id ?? '')).toBe(1);
    wake();
    await until(id, isDelivered);
    expect(receiver.calls.map((call) => call.id)).toEqual([id]);
  });
});

const undelivered = async (agent = '%') =>
  Number(
    (
      await pool.query<{ count: string }>(
        "select count(*) from sluice.notification where state = 'PENDING' and agent like $1",
        [agent],
      )
    ).rows[0]?.count,
  );

describe('agents', () => {
  it('do not wait behind one that is flooded', async () => {
    const other = await startWebhookReceiver(secret);
    running.push(other);
    await webhookOf('layer-20', other.url);
    await ask({ agent: 'chief-2' }, 400);
    await ask({ agent: 'layer-20' }, 20);
    let calledBefore: number | undefined;
    other.answer((_call, response) => {
      if (other.messages.size === 20) calledBefore = receiver.calls.length;
      response.writeHead(204).end();
    });
    await aProcess({ concurrency: 16, perAgent: 4 });
    await eventually(async () => (await undelivered()) === 0, 20_000);
    expect(receiver.messages.size).toBe(400);
    expect(calledBefore).toBeLessThan(200);
  });

  it('do not wait behind one that never answers', async () => {
    const other = await startWebhookReceiver(secret);
    running.push(other);
    await webhookOf('layer-20', other.url);
    receiver.answer(() => undefined);
    await ask({ agent: 'chief-2' }, 50);
    await ask({ agent: 'layer-20' }, 50);
    await aProcess({ concurrency: 12, perAgent: 4, timeoutMs: 5_000 });
    await eventually(async () => (await undelivered('layer-20')) === 0);
    expect(receiver.calls.length).toBeLessThanOrEqual(8);
    // So that stopping does not wait for the answers.
    await receiver.close();
  });

  it('whose host has had enough get the rest later, at no cost of tries', async () => {
    await ask({}, 30);
    await aProcess({}, { webhooksPerSecond: 20 });
    await eventually(async () => (await undelivered()) === 0);
    const { rows } = await pool.query<{ attempt: number }>('select distinct attempt from sluice.notification');
    expect(rows).toEqual([{ attempt: 0 }]);
    expect(receiver.calls).toHaveLength(30);
  });
});
