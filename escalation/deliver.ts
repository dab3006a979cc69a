import { type Clock, sleep } from '../src/core/clock.js';
import type { Log } from '../src/core/log.js';
import { nextTryMs } from './delivery-schedule.js';
import type { ChannelName } from './policy.js';
import type { Delivery, Notification, Notifier, Outbox } from './ports.js';

export interface DeliverContext {
  readonly outbox: Pick<Outbox, 'delivered' | 'retry' | 'dead'>;
  readonly notifiers: ReadonlyMap<ChannelName, Notifier>;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  /** For one call of a channel. */
  readonly timeoutMs: number;
}

export interface Outcome {
  /** Whether the notification is due again some time. */
  readonly isWaiting: boolean;
  /** Milliseconds for which the agent takes no more; 0 when it does. */
  readonly restMs: number;
}

const OVER: Outcome = { isWaiting: false, restMs: 0 };
const LEFT: Outcome = { isWaiting: true, restMs: 0 };

/** A channel that ignores its signal for so long is not waited for. */
const GRACE_MS = 500;

/**
 * Tries the channels in order and stores what came of it. What cannot be stored is tried again when the lease is
 * over, under the same id.
 * @param letGo breaks the call off; but for a delivery, nothing is stored then
 */
export async function deliver(
  notification: Notification,
  context: DeliverContext,
  letGo: AbortSignal,
): Promise<Outcome> {
  const { outbox, log, random } = context;
  const facts = { notification: notification.id, agent: notification.agent };
  const reasons: string[] = [];
  for (const [index, channel] of notification.channels.entries()) {
    if (letGo.aborted) return LEFT;
    const left = notification.channels.slice(index);
    const tries = index === 0 ? notification.attempt : 0;
    const delivery = await call(channel, notification, context, letGo);
    if (delivery.kind === 'DELIVERED') {
      const isOurs = await outbox.delivered(notification, channel);
      log.debug({ ...facts, channel, isOurs }, 'a notification was delivered');
      return OVER;
    }
    // It may have come of being broken off, which says nothing about the channel: no try is used up.
    if (letGo.aborted) return LEFT;
    if (delivery.kind === 'LATER') {
      await outbox.retry(notification, left, tries, delivery.afterMs, 'the address has had enough for the moment');
      return { isWaiting: true, restMs: delivery.afterMs };
    }
    const { kind, reason } = delivery;
    if (kind === 'RETRY') {
      const waitMs = nextTryMs({
        attempt: tries + 1,
        hasAnother: left.length > 1,
        afterMs: delivery.afterMs,
        random,
      });
      if (waitMs !== null) {
        log.info({ ...facts, channel, reason, waitMs }, 'a notification is tried again');
        await outbox.retry(notification, left, tries + 1, waitMs, `${channel}: ${reason}`);
        return LEFT;
      }
    }
    log.info({ ...facts, channel, kind, reason }, 'a channel is passed over');
    reasons.push(`${channel}: ${reason}`);
  }
  log.warn({ ...facts, reasons }, 'a notification could not be delivered');
  await outbox.dead(notification, reasons.join('; ') || 'no channel is left');
  return OVER;
}

/** One call with its time limit; whatever a notifier throws may pass. */
async function call(
  channel: ChannelName,
  notification: Notification,
  { notifiers, clock, log, timeoutMs }: DeliverContext,
  letGo: AbortSignal,
): Promise<Delivery> {
  const notifier = notifiers.get(channel);
  if (!notifier) return { kind: 'UNREACHABLE', reason: 'the channel is not set up here' };
  const limit = new AbortController();
  const timer = clock.after(timeoutMs, () => limit.abort());
  const guard = new AbortController();
  const breakOff = () => {
    limit.abort();
    guard.abort();
  };
  letGo.addEventListener('abort', breakOff, { once: true });
  const givenUp = sleep(clock, timeoutMs + GRACE_MS, guard.signal).then(
    (): Delivery => ({ kind: 'RETRY', reason: `no answer within ${timeoutMs} ms`, afterMs: null }),
  );
  try {
    return await Promise.race([notifier.deliver(notification, limit.signal), givenUp]);
  } catch (error) {
    log.error({ notification: notification.id, channel, reason: String(error) }, 'a notifier failed unexpectedly');
    return { kind: 'RETRY', reason: 'the server failed; its log says why', afterMs: null };
  } finally {
    letGo.removeEventListener('abort', breakOff);
    timer.cancel();
    // With a reason, because making the default one costs a stack trace.
    guard.abort('answered');
  }
}
