import { answersWithin, HEALTH_TIMEOUT_MS } from '../core/answers-within.js';
import type { Clock } from '../core/clock.js';
import type { Log } from '../core/log.js';
import { channelOf } from '../jobs/events.js';
import type { EventBus } from '../jobs/ports.js';
import { openRedis } from './open-redis.js';
import { createOutage, type Outage } from './outage.js';
import { encodePayload, parsePayload } from './payload.js';
import { createSubscriptions } from './subscriptions.js';

export interface RedisBusOptions {
  readonly url: string;
  /** Begins the channels of this installation: they know no databases, unlike keys. */
  readonly namespace: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Where it is told that Redis is away; by default a log line of its own. */
  readonly outage?: Outage;
}

// A subscriber hears nothing while nothing happens: only an answer tells a quiet connection from a dead one.
const PING_MS = 10_000;

/**
 * Redis publish and subscribe. Without Redis it delivers nothing, and whoever subscribes reads the truth by polling; it
 * connects when Redis is there.
 *
 * @throws SluiceError QUEUE_UNREACHABLE when Redis turns us away
 */
export async function createRedisBus(options: RedisBusOptions): Promise<EventBus> {
  const { url, namespace, clock, log } = options;
  const around = { clock, outage: options.outage ?? createOutage(log, 'Redis') };
  const publisher = await openRedis(url, namespace, around);
  const subscriptions = createSubscriptions(log);
  const prefix = `${namespace}:`;
  const subscriber = await openRedis(url, namespace, around).catch((error: unknown) => {
    publisher.disconnect();
    throw error;
  });
  subscriber.on('message', (channel, text) => subscriptions.deliver(channel.slice(prefix.length), parsePayload(text)));
  // What was published while it was away is lost, and what comes before it listens again.
  subscriber.on('ready', () => {
    const channels = subscriptions.channels().map((channel) => `${prefix}${channel}`);
    const listening = channels.length === 0 ? Promise.resolve() : subscriber.subscribe(...channels);
    listening.then(
      () => subscriptions.gap(),
      // The connection broke again, or will be found dead; the next one listens.
      () => undefined,
    );
  });
  const ping = clock.every(PING_MS, () => void subscriber.ping().catch(() => undefined));

  return {
    async publish(topic, payload) {
      await publisher.publish(`${prefix}${channelOf(topic)}`, encodePayload(payload));
    },
    async subscribe(topic, onMessage, onGap) {
      const channel = channelOf(topic);
      const subscription = subscriptions.add(channel, onMessage, onGap);
      // Without a connection now, or with one that is just breaking, the next one listens to all that have subscribers.
      await subscriber.subscribe(`${prefix}${channel}`).catch(() => undefined);
      return {
        async stop() {
          if (subscription.remove() === 0) await subscriber.unsubscribe(`${prefix}${channel}`).catch(() => undefined);
        },
      };
    },
    healthy: () => answersWithin(clock, HEALTH_TIMEOUT_MS, Promise.all([publisher.ping(), subscriber.ping()])),
    async close() {
      ping.cancel();
      publisher.disconnect();
      subscriber.disconnect();
    },
  };
}
