import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Deliverer, type DelivererOptions, startDeliverer } from '../../../escalation/deliverer.js';
import { createFeedNotifier } from '../../../escalation/notifiers/feed.js';
import { createLogNotifier } from '../../../escalation/notifiers/log.js';
import type { ChannelName } from '../../../escalation/policy.js';
import type { Delivery, Notification, Notifier } from '../../../escalation/ports.js';
import { createLog } from '../../../src/core/log.js';
import { ManualClock, settled } from '../../support/manual-clock.js';
import { memoryOutbox } from '../../support/memory-outbox.js';
import { aNotification, policies } from '../../support/notification.js';

const log = createLog('silent');
let deliverer: Deliverer | undefined;
let clock: ManualClock;
afterEach(async () => {
  const stopped = deliverer?.stop();
  // Calls that a test left hanging are not waited for longer than this.
  await clock.pass(10_000);
  await stopped;
  deliverer = undefined;
});

/** A deliverer over an outbox in memory, in time that the test moves. */
async function aSetting(
  notifiers: readonly Notifier[],
  rows: readonly Notification[],
  options: Partial<DelivererOptions> = {},
) {
  clock = new ManualClock();
  const outbox = memoryOutbox(clock, rows);
  let wake = () => {};
  deliverer = await startDeliverer({
    outbox,
    notifiers,
    wake: {
      async on(_what, run) {
        wake = () => run('default');
        return { stop: async () => undefined };
      },
    },
    clock,
    log,
    random: () => 0,
    worker: 'test',
    ...options,
  });
  await settled();
  return { outbox, wake: () => wake() };
}

/** A channel that answers what the test says, a function of the how-manieth call it is. */
function aChannel(
  channel: ChannelName,
  answer: (call: number, notification: Notification) => Delivery | Promise<Delivery>,
) {
  const calls: Notification[] = [];
  const notifier: Notifier = {
    channel,
    async deliver(notification) {
      calls.push(notification);
      return answer(calls.length, notification);
    },
  };
  return { notifier, calls };
}

const DELIVERED: Delivery = { kind: 'DELIVERED' };
const REFUSED: Delivery = { kind: 'REFUSED', reason: 'no' };
const RETRY: Delivery = { kind: 'RETRY', reason: 'not now', afterMs: null };
const hanging = () => new Promise<Delivery>(() => {});
const channels: ChannelName[] = ['WEBHOOK', 'EMAIL', 'FEED'];

describe('a notification', () => {
  it('is delivered by the first channel that works', async () => {
    const webhook = aChannel('WEBHOOK', () => DELIVERED);
    const row = aNotification({ channels });
    const { outbox } = await aSetting([webhook.notifier], [row]);
    expect(outbox.row(row.id)).toMatchObject({ state: 'DELIVERED', deliveredBy: 'WEBHOOK' });
  });

  it('goes to the next channel at once when one refuses, has no address or is not set up', async () => {
    const webhook = aChannel('WEBHOOK', () => REFUSED);
    const row = aNotification({ channels });
    const { outbox } = await aSetting([webhook.notifier, createFeedNotifier()], [row]);
    expect(outbox.row(row.id)).toMatchObject({ state: 'DELIVERED', deliveredBy: 'FEED' });
    expect(webhook.calls).toHaveLength(1);
  });

  it('is tried again with growing waits, and goes to the next channel when it was tried often enough', async () => {
    const webhook = aChannel('WEBHOOK', () => RETRY);
    const row = aNotification({ channels });
    const { outbox } = await aSetting([webhook.notifier, createFeedNotifier()], [row]);
    expect(outbox.row(row.id)).toMatchObject({ state: 'PENDING', attempt: 1, lastError: 'WEBHOOK: not now' });
    await clock.pass(499);
    expect(webhook.calls).toHaveLength(1);
    await clock.pass(1);
    expect(webhook.calls).toHaveLength(2);
    await clock.pass(130_000);
    expect(webhook.calls).toHaveLength(8);
    expect(outbox.row(row.id)).toMatchObject({ state: 'DELIVERED', deliveredBy: 'FEED' });
  });

  it('is delivered after a webhook without alternative answered 500 for an hour', async () => {
    const webhook = aChannel('WEBHOOK', () => (clock.monotonicMs() < 3_600_000 ? RETRY : DELIVERED));
    const row = aNotification();
    const { outbox } = await aSetting([webhook.notifier], [row]);
    await clock.pass(3_600_000 + 600_000);
    expect(outbox.row(row.id)).toMatchObject({ state: 'DELIVERED' });
    expect(new Set(webhook.calls.map(({ id }) => id)).size).toBe(1);
  });

  it('is dead with the reasons when no channel is left, and starts over when it is redelivered', async () => {
    const webhook = aChannel('WEBHOOK', (call) => (call === 1 ? REFUSED : DELIVERED));
    const row = aNotification({ channels: ['WEBHOOK', 'EMAIL'] });
    const { outbox, wake } = await aSetting([webhook.notifier], [row]);
    expect(outbox.row(row.id)).toMatchObject({
      state: 'DEAD',
      lastError: 'WEBHOOK: no; EMAIL: the channel is not set up here',
    });
    await outbox.redeliver('default', row.escalation.id);
    wake();
    await settled();
    expect(outbox.row(row.id)).toMatchObject({ state: 'DELIVERED' });
  });

  it('that a notifier throws at is tried again', async () => {
    const webhook = aChannel('WEBHOOK', (call) => {
      if (call === 1) throw new Error('broken');
      return DELIVERED;
    });
    const row = aNotification();
    const { outbox } = await aSetting([webhook.notifier], [row]);
    await clock.pass(1_000);
    expect(outbox.row(row.id)).toMatchObject({ state: 'DELIVERED' });
  });

  it('whose delivery could not be stored comes again under the same id', async () => {
    const webhook = aChannel('WEBHOOK', () => DELIVERED);
    const row = aNotification();
    const setting = aSetting([webhook.notifier], [row], { leaseMs: 2_000 });
    const { outbox } = await setting;
    outbox.fail('delivered');
    outbox.add(aNotification({ id: 'second' }));
    await clock.pass(1_000);
    expect(outbox.row('second')).toMatchObject({ state: 'PENDING' });
    await clock.pass(3_000);
    expect(outbox.row('second')).toMatchObject({ state: 'DELIVERED' });
    expect(webhook.calls.filter(({ id }) => id === 'second')).toHaveLength(2);
  });

  it('is written to the log by the LOG channel', async () => {
    const lines: object[] = [];
    const facing = { ...log, info: (facts: object) => void lines.push(facts) };
    const row = aNotification({ channels: ['LOG'] });
    await aSetting([createLogNotifier({ log: facing, policies, apiUrl: null })], [row]);
    expect(lines).toMatchObject([{ type: 'escalation.asked', notificationId: row.id, agent: 'chief-2' }]);
  });
});

describe('a deliverer', () => {
  it('renews its leases one round at a time, however slow the database is', async () => {
    const webhook = aChannel('WEBHOOK', hanging);
    const { outbox } = await aSetting([webhook.notifier], [aNotification()], { leaseMs: 400, timeoutMs: 60_000 });
    let answer: () => void = () => {};
    const renew = vi.spyOn(outbox, 'renew').mockImplementation(() => new Promise((resolve) => (answer = resolve)));
    await clock.pass(1_000);
    expect(renew).toHaveBeenCalledTimes(1);
    answer();
    await settled();
    await clock.pass(100);
    expect(renew).toHaveBeenCalledTimes(2);
  });

  it('gives up a call that does not end, and keeps its lease meanwhile', async () => {
    const webhook = aChannel('WEBHOOK', hanging);
    const row = aNotification();
    const { outbox } = await aSetting([webhook.notifier], [row], { leaseMs: 2_000, timeoutMs: 10_000 });
    await clock.pass(10_499);
    expect(webhook.calls).toHaveLength(1);
    expect(outbox.row(row.id).leaseUntil).toBeGreaterThan(clock.monotonicMs());
    await clock.pass(1);
    expect(outbox.row(row.id)).toMatchObject({ attempt: 1, lastError: 'WEBHOOK: no answer within 10000 ms' });
  });

  it('lets no slow agent hold up others', async () => {
    const webhook = aChannel('WEBHOOK', (_call, { agent }) => (agent === 'slow' ? hanging() : DELIVERED));
    const slow = Array.from({ length: 100 }, () => aNotification({ agent: 'slow' }));
    const quick = Array.from({ length: 30 }, () => aNotification({ agent: 'quick' }));
    const { outbox } = await aSetting([webhook.notifier], [...slow, ...quick], { concurrency: 10, perAgent: 3 });
    await clock.pass(1_000);
    expect(quick.map(({ id }) => outbox.row(id).state)).toEqual(quick.map(() => 'DELIVERED'));
    expect(webhook.calls.filter(({ agent }) => agent === 'slow')).toHaveLength(3);
  });

  it('never makes more calls at once than it may', async () => {
    let atOnce = 0;
    let most = 0;
    const webhook = aChannel('WEBHOOK', async () => {
      most = Math.max(most, ++atOnce);
      await settled();
      atOnce--;
      return DELIVERED;
    });
    const rows = Array.from({ length: 60 }, (_, i) => aNotification({ agent: `layer-${i % 7}` }));
    const { outbox } = await aSetting([webhook.notifier], rows, { concurrency: 5 });
    for (let i = 0; i < 100 && outbox.pending() > 0; i++) await clock.pass(100);
    expect(outbox.pending()).toBe(0);
    expect(most).toBe(5);
  });

  it('lets an agent rest whose address has had enough, at no cost of tries', async () => {
    const webhook = aChannel('WEBHOOK', (call) => (call <= 2 ? { kind: 'LATER', afterMs: 500 } : DELIVERED));
    const rows = [aNotification({ agent: 'a' }), aNotification({ agent: 'a' }), aNotification({ agent: 'a' })];
    const { outbox } = await aSetting([webhook.notifier], rows, { perAgent: 2 });
    await clock.pass(499);
    expect(webhook.calls).toHaveLength(2);
    await clock.pass(101);
    expect(rows.map(({ id }) => outbox.row(id))).toMatchObject(rows.map(() => ({ state: 'DELIVERED', attempt: 0 })));
  });

  it('begins no calls while something else is more urgent, and then those that wait', async () => {
    const webhook = aChannel('WEBHOOK', () => DELIVERED);
    let isHeldBack = true;
    const rows = [aNotification(), aNotification()];
    const { outbox } = await aSetting([webhook.notifier], rows, { isHeldBack: () => isHeldBack });
    await clock.pass(2_000);
    expect(webhook.calls).toEqual([]);
    isHeldBack = false;
    await clock.pass(50);
    expect(rows.map(({ id }) => outbox.row(id).state)).toEqual(['DELIVERED', 'DELIVERED']);
  });

  it('goes on when the database was away', async () => {
    const webhook = aChannel('WEBHOOK', () => DELIVERED);
    const { outbox, wake } = await aSetting([webhook.notifier], []);
    outbox.fail('claim');
    const row = aNotification();
    outbox.add(row);
    wake();
    await settled();
    await clock.pass(1_000);
    expect(outbox.row(row.id)).toMatchObject({ state: 'DELIVERED' });
  });

  it('waits for the calls in hand when it stops, and claims no more', async () => {
    let answer: (delivery: Delivery) => void = () => {};
    const webhook = aChannel('WEBHOOK', () => new Promise<Delivery>((resolve) => (answer = resolve)));
    const row = aNotification();
    const { outbox, wake } = await aSetting([webhook.notifier], [row]);
    const stopped = deliverer?.stop();
    outbox.add(aNotification({ id: 'late' }));
    wake();
    await clock.pass(5_000);
    answer(DELIVERED);
    await stopped;
    expect(outbox.row(row.id)).toMatchObject({ state: 'DELIVERED' });
    expect(webhook.calls).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  it('breaks a call off that does not end when it stops, and leaves it to its lease', async () => {
    const row = aNotification({ channels: ['WEBHOOK', 'EMAIL'] });
    let isBrokenOff = false;
    const webhook: Notifier = {
      channel: 'WEBHOOK',
      deliver: (_notification, signal) =>
        new Promise((resolve) =>
          signal.addEventListener('abort', () => {
            isBrokenOff = true;
            resolve(REFUSED);
          }),
        ),
    };
    const email = aChannel('EMAIL', hanging);
    const { outbox } = await aSetting([webhook, email.notifier], [row], { timeoutMs: 60_000, leaseMs: 2_000 });
    const stopped = deliverer?.stop();
    // Less than a process may take to end.
    await clock.pass(6_000);
    await stopped;
    expect(isBrokenOff).toBe(true);
    expect(email.calls).toEqual([]);
    expect(clock.pending).toBe(0);
    await clock.pass(2_000);
    expect(outbox.row(row.id)).toMatchObject({ state: 'PENDING', attempt: 0 });
    expect(outbox.row(row.id).leaseUntil).toBeLessThanOrEqual(clock.monotonicMs());
  });
});
