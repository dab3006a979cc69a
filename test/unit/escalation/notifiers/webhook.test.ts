import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createWebhookNotifier } from '../../../../escalation/notifiers/webhook.js';
import { createRateLimit } from '../../../../escalation/rate-limit.js';
import { createLog } from '../../../../src/core/log.js';
import { createAddressRules, type Resolve } from '../../../../src/core/safe-address.js';
import { eventually } from '../../../support/eventually.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { aNotification, aSecret, memoryContacts, policies } from '../../../support/notification.js';
import { startWebhookReceiver, status, type WebhookReceiver } from '../../../support/webhook-receiver.js';

const secret = aSecret();
const clock = new ManualClock();
const never = new AbortController().signal;
let receiver: WebhookReceiver;
const open: { close(): Promise<void> }[] = [];

beforeEach(async () => {
  receiver = await startWebhookReceiver(secret);
  open.push(receiver);
});
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

interface Setting {
  readonly url?: string;
  readonly secrets?: readonly string[];
  readonly allow?: readonly string[];
  readonly resolve?: Resolve;
  readonly burst?: number;
}

/** A notifier whose agent `chief-2` has a webhook. */
function aNotifier({ url = receiver.url, secrets = [secret], allow = ['127.0.0.1'], resolve, burst = 100 }: Setting) {
  const contacts = memoryContacts();
  contacts.add('chief-2', 'WEBHOOK', url, ...secrets);
  const notifier = createWebhookNotifier({
    contacts,
    policies,
    apiUrl: 'http://127.0.0.1:4000/graphql',
    rules: createAddressRules(allow),
    limit: createRateLimit({ perSecond: 1, burst, clock }),
    log: createLog('silent'),
    ...(resolve && { resolve }),
  });
  open.push(notifier);
  return {
    contacts,
    deliver: (notification = aNotification(), signal = never) => notifier.deliver(notification, signal),
  };
}

const portOf = (url: string) => new URL(url).port;

describe('a webhook', () => {
  it('is a signed message with all that an agent needs to act, under the id of the notification', async () => {
    const notification = aNotification();
    const { deliver } = aNotifier({});
    expect(await deliver(notification)).toEqual({ kind: 'DELIVERED' });

    const [call] = receiver.calls;
    expect(call).toMatchObject({ id: notification.id, isVerified: true, path: '/hook' });
    expect(call?.headers['content-type']).toBe('application/json');
    const { escalation } = notification;
    expect(call?.message).toEqual({
      type: 'escalation.asked',
      timestamp: notification.createdAt.toISOString(),
      data: {
        notificationId: notification.id,
        agent: 'chief-2',
        escalationId: escalation.id,
        version: 4,
        status: 'ASKING',
        title: escalation.title,
        failureClass: 'PIPELINE_DECISION',
        owner: 'layer-12',
        jobId: escalation.jobId,
        pipeline: 'orders',
        target: 'default.public.orders',
        step: 0,
        round: 0,
        dueAt: escalation.state.dueAt?.toISOString(),
        // RESUME has failed twice at this step.
        allowedVerdicts: ['RETRY', 'ABORT'],
        occurrences: 1,
        evidenceHash: escalation.evidenceHash,
        apiUrl: 'http://127.0.0.1:4000/graphql',
      },
    });
  });

  it('is signed with the time of the claim, so that a node whose clock is off is still believed', async () => {
    const { deliver } = aNotifier({});
    const notification = aNotification();
    await deliver(notification);
    // The notifier's own clock stands in 2027.
    const seconds = String(Math.floor(notification.claimedAt.getTime() / 1_000));
    expect(receiver.calls[0]?.headers['webhook-timestamp']).toBe(seconds);
    expect(receiver.calls[0]?.isVerified).toBe(true);
  });

  it('carries a signature by each secret while one is being replaced', async () => {
    const newer = aSecret();
    const { deliver } = aNotifier({ secrets: [newer, secret] });
    expect(await deliver()).toEqual({ kind: 'DELIVERED' });
    const [call] = receiver.calls;
    expect(String(call?.headers['webhook-signature']).split(' ')).toHaveLength(2);
    const headers = call?.headers as Record<string, string>;
    expect(() => new Webhook(newer).verify(call?.body ?? '', headers)).not.toThrow();
    expect(() => new Webhook(aSecret()).verify(call?.body ?? '', headers)).toThrow();
  });

  it('has the same id in every try', async () => {
    const { deliver } = aNotifier({});
    const notification = aNotification();
    receiver.answer(status(500));
    await deliver(notification);
    receiver.answer(status(200));
    await deliver(notification);
    expect(receiver.calls.map(({ id }) => id)).toEqual([notification.id, notification.id]);
    expect(receiver.messages.size).toBe(1);
  });

  it('is not sent to an agent without one, with a disabled one or without a secret', async () => {
    const { deliver, contacts } = aNotifier({});
    expect(await deliver(aNotification({ agent: 'layer-20' }))).toMatchObject({ kind: 'UNREACHABLE' });
    contacts.add('layer-20', 'WEBHOOK', receiver.url);
    expect(await deliver(aNotification({ agent: 'layer-20' }))).toMatchObject({ kind: 'UNREACHABLE' });
    await contacts.disable('default', 'chief-2', 'WEBHOOK', 'test');
    expect(await deliver()).toMatchObject({ kind: 'UNREACHABLE' });
    expect(receiver.calls).toEqual([]);
  });
});

describe('an answer', () => {
  it.each([200, 201, 204, 299])('of %i is delivered', async (code) => {
    receiver.answer(status(code));
    expect(await aNotifier({}).deliver()).toEqual({ kind: 'DELIVERED' });
  });

  it.each([301, 302, 303, 307, 308, 304])('of %i is refused, and nobody is called in its place', async (code) => {
    const other = await startWebhookReceiver(secret);
    open.push(other);
    receiver.answer(status(code, { location: other.url }));
    expect(await aNotifier({}).deliver()).toMatchObject({ kind: 'REFUSED' });
    expect(other.calls).toEqual([]);
  });

  it.each([400, 401, 403, 404, 408, 425, 500, 502, 504])('of %i is tried again', async (code) => {
    receiver.answer(status(code, { 'retry-after': '7' }));
    expect(await aNotifier({}).deliver()).toEqual({ kind: 'RETRY', reason: `it answered ${code}`, afterMs: null });
  });

  it.each([429, 503])('of %i is tried again when it says', async (code) => {
    const { deliver } = aNotifier({});
    const afterMs = async (headers: Record<string, string>) => {
      receiver.answer(status(code, headers));
      const delivery = await deliver();
      return delivery.kind === 'RETRY' ? delivery.afterMs : delivery;
    };
    expect(await afterMs({ 'retry-after': '120' })).toBe(120_000);
    expect(await afterMs({ 'retry-after': '86400' })).toBe(3_600_000);
    expect(await afterMs({ 'retry-after': 'soon' })).toBeNull();
    expect(await afterMs({})).toBeNull();
    const date = 'Tue, 24 Nov 2026 10:00:00 GMT';
    expect(await afterMs({ date, 'retry-after': 'Tue, 24 Nov 2026 10:01:30 GMT' })).toBe(90_000);
    expect(await afterMs({ date, 'retry-after': 'Tue, 24 Nov 2026 09:00:00 GMT' })).toBe(0);
    expect(await afterMs({ date, 'retry-after': 'Wed, 25 Nov 2026 09:00:00 GMT' })).toBe(3_600_000);
  });

  it('of 410 disables the contact', async () => {
    receiver.answer(status(410));
    const { deliver, contacts } = aNotifier({});
    expect(await deliver()).toMatchObject({ kind: 'REFUSED' });
    expect((await contacts.find('default', 'chief-2', 'WEBHOOK'))?.contact).toMatchObject({
      isEnabled: false,
      disabledReason: 'it answered 410 Gone',
    });
    expect(await deliver()).toMatchObject({ kind: 'UNREACHABLE' });
    expect(receiver.calls).toHaveLength(1);
  });

  it('with an endless body is taken by its status, and the body is dropped', async () => {
    let isDropped = false;
    receiver.answer((_call, response) => {
      response.on('close', () => {
        isDropped = true;
      });
      const more = () => {
        while (response.write(Buffer.alloc(65_536)));
        response.once('drain', more);
      };
      response.writeHead(200);
      more();
    });
    expect(await aNotifier({}).deliver()).toEqual({ kind: 'DELIVERED' });
    await eventually(() => isDropped);
  });

  it('whose body never ends is taken by its status when the time is over', async () => {
    const limit = new AbortController();
    const onHeaders = () => void setImmediate(() => limit.abort());
    subscribe('undici:request:headers', onHeaders);
    try {
      receiver.answer((_call, response) => void response.writeHead(200).write('x'));
      expect(await aNotifier({}).deliver(aNotification(), limit.signal)).toEqual({ kind: 'DELIVERED' });
    } finally {
      unsubscribe('undici:request:headers', onHeaders);
    }
  });

  it('that does not come is tried again', async () => {
    const limit = new AbortController();
    receiver.answer(() => limit.abort());
    expect(await aNotifier({}).deliver(aNotification(), limit.signal)).toEqual({
      kind: 'RETRY',
      reason: 'it did not answer in time',
      afterMs: null,
    });
  });

  it('with headers without end is tried again', async () => {
    receiver.answer((_call, response) => response.writeHead(200, { huge: 'x'.repeat(100_000) }).end());
    expect(await aNotifier({}).deliver()).toMatchObject({ kind: 'RETRY' });
  });
});

describe('an address', () => {
  it('at which nobody listens is tried again', async () => {
    const { url } = receiver;
    const { deliver } = aNotifier({ url });
    await open.shift()?.close();
    expect(await deliver()).toEqual({ kind: 'RETRY', reason: 'it could not be reached: ECONNREFUSED', afterMs: null });
  });

  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['a name for it', 'localhost'],
    ['a number', '2130706433'],
    ['octal and short', '0177.1'],
    ['IPv6', '[::1]'],
    ['mapped', '[::ffff:127.0.0.1]'],
    ['metadata of a cloud', '169.254.169.254'],
    ['unspecified', '0.0.0.0'],
  ])('of the inside is refused: %s', async (_title, host) => {
    const { deliver } = aNotifier({ url: `http://${host}:${portOf(receiver.url)}/`, allow: [] });
    expect(await deliver()).toMatchObject({ kind: 'REFUSED' });
    expect(receiver.calls).toEqual([]);
  });

  it.each([[['127.0.0.1']], [['127.0.0.0/8']], [['agent.example']], [['AGENT.example.']]])(
    'is called when %j is allowed',
    async (allow) => {
      const url = `http://agent.example:${portOf(receiver.url)}/`;
      const resolve: Resolve = async () => [{ address: '127.0.0.1', family: 4 }];
      expect(await aNotifier({ url, allow, resolve }).deliver()).toEqual({ kind: 'DELIVERED' });
      expect(receiver.calls[0]?.headers.host).toBe(`agent.example:${portOf(receiver.url)}`);
    },
  );

  it('is resolved once a connection, and the checked answer is the one that is called', async () => {
    const answers = ['127.0.0.1', '127.0.0.2', '127.0.0.3'];
    const asked: string[] = [];
    // Only the first answer may be called. A second resolution, as of DNS rebinding, would get another.
    const resolve: Resolve = async (host) => {
      asked.push(host);
      return [{ address: answers[asked.length - 1] ?? '127.0.0.4', family: 4 }];
    };
    const url = `http://rebinding.example:${portOf(receiver.url)}/`;
    const { deliver } = aNotifier({ url, allow: ['127.0.0.1/32'], resolve });
    expect(await deliver()).toEqual({ kind: 'DELIVERED' });
    expect(asked).toEqual(['rebinding.example']);

    const second = aNotifier({ url, allow: ['127.0.0.1/32'], resolve });
    expect(await second.deliver()).toEqual({ kind: 'REFUSED', reason: 'rebinding.example is not a public address' });
    expect(receiver.calls).toHaveLength(1);
  });

  it('is called by those of its addresses that may be called', async () => {
    const resolve: Resolve = async () => [
      { address: '10.0.0.1', family: 4 },
      { address: '127.0.0.1', family: 4 },
    ];
    const url = `http://mixed.example:${portOf(receiver.url)}/`;
    expect(await aNotifier({ url, resolve }).deliver()).toEqual({ kind: 'DELIVERED' });
  });

  it('that cannot be resolved is tried again', async () => {
    const resolve: Resolve = async () => {
      throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
    };
    expect(await aNotifier({ url: 'http://nobody.example/', resolve }).deliver()).toEqual({
      kind: 'RETRY',
      reason: 'it could not be reached: ENOTFOUND',
      afterMs: null,
    });
  });

  it('that has had enough is called later', async () => {
    const { deliver } = aNotifier({ burst: 1 });
    expect(await deliver()).toEqual({ kind: 'DELIVERED' });
    expect(await deliver()).toEqual({ kind: 'LATER', afterMs: 1_000 });
    await clock.pass(1_000);
    expect(await deliver()).toEqual({ kind: 'DELIVERED' });
  });
});
