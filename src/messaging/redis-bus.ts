import { Redis } from 'ioredis';
import { answersWithin } from '../core/answers-within.js';
import type { Clock } from '../core/clock.js';
import { SluiceError } from '../core/errors.js';
import type { Log } from '../core/log.js';
import { channelOf } from '../jobs/events.js';
import type { EventBus } from '../jobs/ports.js';
import { encodePayload, parsePayload } from './payload.js';
import { reconnectDelayMs } from './redis-reconnect.js';
import { createSubscriptions } from './subscriptions.js';

export interface RedisBusOptions {
  readonly url: string;
  /** Begins the channels of this installation: they know no databases, unlike keys. */
  readonly namespace: string;
  readonly clock: Clock;
  readonly log: Log;
}

const HEALTH_TIMEOUT_MS = 2_000;

/** Redis publish and subscribe. @throws SluiceError QUEUE_UNREACHABLE */
export async function createRedisBus({ url, namespace, clock, log }: RedisBusOptions): Promise<EventBus> {
  // The connection name tells an operator whose it is (CLIENT LIST).
  const publisher = new Redis(url, {
    connectionName: namespace,
    lazyConnect: true,
    retryStrategy: reconnectDelayMs,
    // Nobody waits for a lost message; a queue of old ones would only grow.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
  });
  const subscriber = new Redis(url, {
    connectionName: namespace,
    lazyConnect: true,
    retryStrategy: reconnectDelayMs,
    maxRetriesPerRequest: null,
  });
  const report = (error: Error) => log.warn({ reason: error.message }, 'the Redis bus reports an error');
  publisher.on('error', report);
  subscriber.on('error', report);
  try {
    await Promise.all([publisher.connect(), subscriber.connect()]);
  } catch (cause) {
    publisher.disconnect();
    subscriber.disconnect();
    throw new SluiceError('QUEUE_UNREACHABLE', 'Redis does not answer; check REDIS_URL and the server.', { cause });
  }

  const subscriptions = createSubscriptions(log);
  const prefix = `${namespace}:`;
  subscriber.on('message', (channel, text) => subscriptions.deliver(channel.slice(prefix.length), parsePayload(text)));
  // ioredis subscribes again by itself, and says `ready` when it begins to: what was published before is lost.
  let isConnected = true;
  subscriber.on('close', () => {
    isConnected = false;
  });
  subscriber.on('ready', () => {
    if (!isConnected) subscriptions.gap();
    isConnected = true;
  });

  return {
    async publish(topic, payload) {
      await publisher.publish(`${prefix}${channelOf(topic)}`, encodePayload(payload));
    },
    async subscribe(topic, onMessage, onGap) {
      const channel = channelOf(topic);
      const subscription = subscriptions.add(channel, onMessage, onGap);
      await subscriber.subscribe(`${prefix}${channel}`);
      return {
        async stop() {
          if (subscription.remove() === 0 && isConnected) await subscriber.unsubscribe(`${prefix}${channel}`);
        },
      };
    },
    healthy: () => answersWithin(clock, HEALTH_TIMEOUT_MS, publisher.ping()),
    async close() {
      publisher.disconnect();
      subscriber.disconnect();
    },
  };
}
