import { describe, expect, it } from 'vitest';
import { createNotifiers } from '../../escalation/notifiers/create-notifiers.js';
import { systemClock } from '../../src/core/clock.js';
import { newId } from '../../src/core/ids.js';
import { createLog } from '../../src/core/log.js';
import { createAddressRules } from '../../src/core/safe-address.js';
import { deliveryDesk, isDelivered } from '../support/delivery-desk.js';
import { eventually } from '../support/eventually.js';
import { aSecret, policies } from '../support/notification.js';
import { startSmtpServer } from '../support/smtp-server.js';
import { startWebhookReceiver, status } from '../support/webhook-receiver.js';

const log = createLog('silent');
const desk = deliveryDesk();
const { ask, row, makeDue, expireLease, aProcess, until, undelivered, webhookOf, emailOf } = desk;

describe('a notification in the outbox', () => {
  it('reaches the webhook of its agent, signed, and is delivered', async () => {
    const [id] = await ask();
    await aProcess();
    await until(id, isDelivered);
    expect(await row(id)).toMatchObject({ delivered_by: 'WEBHOOK' });
    expect(desk.receiver.calls).toMatchObject([{ id, isVerified: true }]);
  });

  it('of a killed process is sent again under the same webhook-id, which the receiver drops', async () => {
    const [id] = await ask();
    // Sent, and killed before that was stored.
    const [claimed] = await desk.outbox.claim(10, 10, 60_000, newId(), []);
    const killed = createNotifiers({
      contacts: desk.contacts,
      policies,
      apiUrl: null,
      rules: createAddressRules(['127.0.0.1']),
      smtpUrl: undefined,
      smtpFrom: 'sluice@example.org',
      clock: systemClock,
      log,
    });
    desk.running.push(killed);
    const webhook = killed.notifiers.find(({ channel }) => channel === 'WEBHOOK');
    if (!claimed || !webhook) throw new Error('nothing to deliver');
    expect(await webhook.deliver(claimed, new AbortController().signal)).toEqual({ kind: 'DELIVERED' });

    const { wake } = await aProcess();
    await expireLease(id);
    wake();
    await until(id, isDelivered);
    expect(desk.receiver.calls.map((call) => call.id)).toEqual([id, id]);
    expect([...desk.receiver.messages.keys()]).toEqual([id]);
    // The killed one comes too late.
    expect(await desk.outbox.delivered(claimed, 'WEBHOOK')).toBe(false);
    expect(await desk.outbox.retry(claimed, ['WEBHOOK'], 1, 0, 'late')).toBe(false);
  });

  it('that is claimed again while its first claim ends late is delivered once', async () => {
    const [id, other] = await ask({}, 2);
    const claim = () => desk.outbox.claim(10, 10, 60_000, newId(), []);
    const claimed = await claim();
    const [late, another] = [claimed.find((one) => one.id === id), claimed.find((one) => one.id === other)];
    await expireLease(id);
    const [again] = await claim();
    if (!late || !another || !again) throw new Error('nothing to deliver');
    // Those that come while the first is under way share a transaction.
    const ended = [another, late, again].map((one) => desk.outbox.delivered(one, 'WEBHOOK'));
    expect(await Promise.all(ended)).toEqual([true, false, true]);
    const { rows } = await desk.pool.query(
      `select data ->> 'notification' as id from sluice.escalation_log where kind = 'DELIVERED' and data ->> 'notification' = $1`,
      [id],
    );
    expect(rows).toEqual([{ id }]);
  });

  it('whose receiver has not answered when the process ends is sent again under the same webhook-id', async () => {
    const [id] = await ask();
    let isCut = false;
    desk.receiver.answer((_call, response) => response.on('close', () => (isCut = true)));
    const { deliverer } = await aProcess({ patienceMs: 0 });
    await eventually(() => desk.receiver.calls.length === 1);
    await deliverer.stop();
    await eventually(() => isCut);
    expect(await row(id)).toMatchObject({ state: 'PENDING', attempt: 0, last_error: null });

    desk.receiver.answer(status(204));
    await expireLease(id);
    await aProcess();
    await until(id, isDelivered);
    expect(desk.receiver.calls.map((call) => call.id)).toEqual([id, id]);
  });

  it('keeps its lease for as long as the call lasts', async () => {
    const [id] = await ask();
    const answers: (() => void)[] = [];
    desk.receiver.answer((_call, response) => void answers.push(() => response.writeHead(204).end()));
    await aProcess({ leaseMs: 200 });
    await aProcess({ leaseMs: 200 });
    await eventually(() => answers.length > 0);
    // The lease is over and over renewed: seen by its end moving on by more than its length.
    const leaseUntil = async () =>
      (
        await desk.pool.query<{ until: Date }>('select lease_until as until from sluice.notification where id = $1', [
          id,
        ])
      ).rows[0]?.until;
    const first = await leaseUntil();
    await eventually(async () => Number(await leaseUntil()) > Number(first) + 200);
    for (const answer of answers) answer();
    await until(id, isDelivered);
    expect(desk.receiver.messages.size).toBe(1);
  });

  it('is called for by two processes, and each is sent once', async () => {
    const ids = await ask({}, 100);
    await aProcess();
    await aProcess();
    await eventually(async () => (await undelivered()) === 0);
    expect(desk.receiver.calls.map(({ id }) => id).sort()).toEqual([...ids].sort());
  });

  it.each([429, 503])('waits as long as %i and Retry-After say, and is delivered then', async (code) => {
    const [id] = await ask();
    desk.receiver.answer(status(code, { 'retry-after': '1800' }));
    const { wake } = await aProcess();
    await until(id, ({ attempt }) => attempt === 1);
    const { due_in_s, last_error } = await row(id);
    expect(last_error).toBe(`WEBHOOK: it answered ${code}`);
    expect(due_in_s).toBeGreaterThan(1_700);
    expect(due_in_s).toBeLessThanOrEqual(1_800);
    desk.receiver.answer(status(202));
    await makeDue(id);
    wake();
    await until(id, isDelivered);
    expect(desk.receiver.calls.map((call) => call.id)).toEqual([id, id]);
  });

  it.each([
    ['no answer', () => undefined],
    ['500', status(500)],
    ['404', status(404)],
  ])('is tried again after %s', async (_title, answer) => {
    const [id] = await ask();
    desk.receiver.answer(answer);
    const { wake } = await aProcess({ timeoutMs: 300 });
    await until(id, ({ attempt }) => attempt >= 1);
    desk.receiver.answer(status(200));
    await makeDue(id);
    wake();
    await until(id, isDelivered);
    expect(desk.receiver.messages.size).toBe(1);
  });

  it('is delivered whatever comes after the status', async () => {
    const [id] = await ask();
    desk.receiver.answer((_call, response) => {
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
    desk.running.push(changed);
    await webhookOf('chief-2', desk.receiver.url, newer);
    await webhookOf('layer-20', changed.url);
    await webhookOf('layer-20', changed.url, newer);
    const [old] = await ask();
    const [fresh] = await ask({ agent: 'layer-20' });
    await aProcess();
    await until(old, isDelivered);
    await until(fresh, isDelivered);
    expect([...desk.receiver.messages.keys(), ...changed.messages.keys()]).toEqual([old, fresh]);
  });
});

describe('the next channel', () => {
  it('is taken when the webhook is gone, which disables it', async () => {
    await emailOf('chief-2');
    const [id] = await ask({ channels: ['WEBHOOK', 'EMAIL'] });
    desk.receiver.answer(status(410));
    const { wake } = await aProcess();
    await until(id, isDelivered);
    expect(await row(id)).toMatchObject({ delivered_by: 'EMAIL' });
    expect(desk.mailServer.mails[0]?.to).toEqual(['chief-2@example.org']);
    expect((await desk.contacts.find('default', 'chief-2', 'WEBHOOK'))?.contact).toMatchObject({
      isEnabled: false,
      disabledReason: 'it answered 410 Gone',
    });
    const [second] = await ask({ channels: ['WEBHOOK', 'EMAIL'] });
    wake();
    await until(second, isDelivered);
    expect(desk.receiver.calls).toHaveLength(1);
  });

  it('is taken when the webhook redirects', async () => {
    await emailOf('chief-2');
    const [id] = await ask({ channels: ['WEBHOOK', 'EMAIL'] });
    desk.receiver.answer(status(307, { location: desk.receiver.url }));
    await aProcess();
    await until(id, isDelivered);
    expect(await row(id)).toMatchObject({ delivered_by: 'EMAIL' });
    expect(desk.receiver.calls).toHaveLength(1);
  });

  it('is taken when the webhook lies inside and is not allowed', async () => {
    const [id] = await ask({ channels: ['WEBHOOK', 'FEED'] });
    await aProcess({}, { rules: createAddressRules([]) });
    await until(id, isDelivered);
    expect(await row(id)).toMatchObject({ delivered_by: 'FEED' });
    expect(desk.receiver.calls).toEqual([]);
  });

  it('is waited for while the mail server is down', async () => {
    await emailOf('layer-20');
    const [id] = await ask({ agent: 'layer-20', channels: ['WEBHOOK', 'EMAIL'] });
    const { port } = desk.mailServer;
    await desk.mailServer.close();
    const { wake } = await aProcess();
    await until(id, ({ attempt }) => attempt >= 1);
    expect(await row(id)).toMatchObject({ state: 'PENDING', channels: ['EMAIL'] });
    const restarted = await startSmtpServer(port);
    desk.running.push(restarted);
    await makeDue(id);
    wake();
    await until(id, isDelivered);
    expect(restarted.mails).toHaveLength(1);
  });

  it('is missing: the notification is dead with the reasons, until it is redelivered', async () => {
    await desk.contacts.disable('default', 'chief-2', 'WEBHOOK', 'test');
    const [id] = await ask({ channels: ['WEBHOOK', 'EMAIL'] });
    const { wake } = await aProcess();
    await until(id, ({ state }) => state === 'DEAD');
    expect((await row(id)).last_error).toBe('WEBHOOK: the webhook is disabled; EMAIL: the agent has no email address');
    await webhookOf('chief-2', desk.receiver.url);
    const { rows } = await desk.pool.query<{ escalation_id: string }>('select escalation_id from sluice.notification');
    expect(await desk.outbox.redeliver('default', rows[0]?.escalation_id ?? '')).toBe(1);
    wake();
    await until(id, isDelivered);
    expect(desk.receiver.calls.map((call) => call.id)).toEqual([id]);
  });
});

describe('agents', () => {
  it('do not wait behind one that is flooded', async () => {
    const other = await startWebhookReceiver(desk.secret);
    desk.running.push(other);
    await webhookOf('layer-20', other.url);
    await ask({ agent: 'chief-2' }, 400);
    await ask({ agent: 'layer-20' }, 20);
    let calledBefore: number | undefined;
    other.answer((_call, response) => {
      if (other.messages.size === 20) calledBefore = desk.receiver.calls.length;
      response.writeHead(204).end();
    });
    await aProcess({ concurrency: 16, perAgent: 4 });
    await eventually(async () => (await undelivered()) === 0, 20_000);
    expect(desk.receiver.messages.size).toBe(400);
    expect(calledBefore).toBeLessThan(200);
  });

  it('do not wait behind one that never answers', async () => {
    const other = await startWebhookReceiver(desk.secret);
    desk.running.push(other);
    await webhookOf('layer-20', other.url);
    desk.receiver.answer(() => undefined);
    await ask({ agent: 'chief-2' }, 50);
    await ask({ agent: 'layer-20' }, 50);
    await aProcess({ concurrency: 12, perAgent: 4, timeoutMs: 5_000 });
    await eventually(async () => (await undelivered('layer-20')) === 0);
    expect(desk.receiver.calls.length).toBeLessThanOrEqual(8);
    // So that stopping does not wait for the answers.
    await desk.receiver.close();
  });

  it('whose host has had enough get the rest later, at no cost of tries', async () => {
    await ask({}, 30);
    await aProcess({}, { webhooksPerSecond: 20 });
    await eventually(async () => (await undelivered()) === 0);
    const { rows } = await desk.pool.query<{ attempt: number }>('select distinct attempt from sluice.notification');
    expect(rows).toEqual([{ attempt: 0 }]);
    expect(desk.receiver.calls).toHaveLength(30);
  });
});
