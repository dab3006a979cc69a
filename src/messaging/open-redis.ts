import { Redis, type RedisOptions } from 'ioredis';
import { type Clock, sleep } from '../core/clock.js';
import { SluiceError } from '../core/errors.js';
import type { Outage } from './outage.js';

/** For connections of every kind: quick to try again, and never waiting long, for work waits meanwhile. */
export const RECONNECT = {
  retryStrategy: (times: number): number => Math.min(times * 100, 2_000),
} as const satisfies RedisOptions;

/**
 * For commands that nobody may wait for: they fail at once while Redis is away, and soon when it has gone silent. A
 * queue of old ones would only grow.
 */
const IMPATIENT = {
  ...RECONNECT,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  commandTimeout: 1_500,
  // Silence for this long after a command is the end of the connection.
  socketTimeout: 5_000,
  // Whoever subscribes does so again by himself: also to what he asked for while Redis was away.
  autoResubscribe: false,
} as const satisfies RedisOptions;

/** A start waits this long for a connection; whatever stands on Redis goes on without it. */
const FIRST_ANSWER_MS = 2_000;

// Redis is there and will never take us: no waiting helps. The words of AUTH, HELLO and of a user without rights.
const REFUSED = /^(NOAUTH|WRONGPASS|NOPERM|ERR (AUTH|invalid (username|password)|Client sent AUTH))/;

const reasonOf = (error: Error): string => error.message || ('code' in error ? String(error.code) : error.name);

/**
 * Connects, and goes on trying by itself for as long as it takes.
 *
 * @param name shown in CLIENT LIST, so that an operator knows whose it is
 * @returns the client once it is connected, or when Redis has not answered for a moment
 * @throws SluiceError QUEUE_UNREACHABLE when Redis answers and turns us away
 */
export async function openRedis(
  url: string,
  name: string,
  { clock, outage }: { readonly clock: Clock; readonly outage: Outage },
): Promise<Redis> {
  const client = new Redis(url, { ...IMPATIENT, connectionName: name });
  const firstWord = new AbortController();
  let refusal: Error | undefined;
  client.on('error', (error: Error) => {
    if (REFUSED.test(error.message)) refusal = error;
    outage.lost(client, reasonOf(error));
    firstWord.abort();
  });
  client.on('ready', () => {
    refusal = undefined;
    outage.found(client);
    firstWord.abort();
  });
  await sleep(clock, FIRST_ANSWER_MS, firstWord.signal);
  if (client.status !== 'ready' && refusal === undefined) outage.lost(client, 'it does not answer');
  if (refusal === undefined) return client;
  client.disconnect();
  throw new SluiceError('QUEUE_UNREACHABLE', `Redis turns Sluice away (${refusal.message}): check REDIS_URL.`, {
    cause: refusal,
  });
}
