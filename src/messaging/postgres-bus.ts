import pg from 'pg';
import { answersWithin, HEALTH_TIMEOUT_MS } from '../core/answers-within.js';
import type { Clock, Timer } from '../core/clock.js';
import type { Log } from '../core/log.js';
import { channelOf } from '../jobs/events.js';
import type { EventBus } from '../jobs/ports.js';
import { encodePayload, parsePayload } from './payload.js';
import { createSubscriptions } from './subscriptions.js';

export interface PostgresBusOptions {
  readonly url: string;
  /** Publishes; listening has a connection of its own. */
  readonly pool: Pick<pg.Pool, 'query'>;
  readonly clock: Clock;
  readonly log: Log;
}

const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 2_000;
const PING_MS = 10_000;

/** LISTEN and NOTIFY over one connection that comes back by itself. Rejects when Postgres does not answer. */
export async function createPostgresBus({ url, pool, clock, log }: PostgresBusOptions): Promise<EventBus> {
  const subscriptions = createSubscriptions(log);
  let client: pg.Client | undefined;
  let retry: Timer | undefined;
  let isClosed = false;
  let asking: Promise<boolean> | undefined;

  /** Whether the connection answers, and not another one: it hears nothing while nothing happens, and would never know. */
  function answers(): Promise<boolean> {
    if (client === undefined) return Promise.resolve(false);
    // One question at a time: a connection that is silent would gather them.
    asking ??= answersWithin(clock, HEALTH_TIMEOUT_MS, client.query('select 1')).finally(() => {
      asking = undefined;
    });
    return asking;
  }

  const ping = clock.every(PING_MS, async () => {
    const asked = client;
    // With a query on its way this breaks the connection, and what follows is what follows any loss.
    if (!(await answers()) && asked !== undefined && asked === client) asked.end().catch(() => undefined);
  });

  async function connect(): Promise<void> {
    const connecting = new pg.Client({
      connectionString: url,
      application_name: 'sluice bus',
      connectionTimeoutMillis: 5_000,
      // Finds a connection that died without a word, e.g. behind a firewall that forgot it.
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
    });
    // Before connecting: a refused connection is reported to both, and unheard it would end the process.
    connecting.on('error', () => undefined);
    connecting.on('end', () => {
      if (client !== connecting || isClosed) return;
      client = undefined;
      log.warn({}, 'the bus lost its connection to Postgres and connects again');
      reconnectIn(FIRST_RETRY_MS);
    });
    connecting.on('notification', ({ channel, payload }) =>
      subscriptions.deliver(channel, parsePayload(payload ?? '')),
    );
    try {
      await connecting.connect();
      // From here on whoever subscribes listens by himself; those before are listed. Twice is once.
      client = connecting;
      for (const channel of subscriptions.channels()) await connecting.query(`LISTEN ${channel}`);
    } catch (error) {
      client = undefined;
      await connecting.end().catch(() => undefined);
      throw error;
    }
    if (isClosed) await connecting.end();
  }

  function reconnectIn(ms: number): void {
    retry = clock.after(ms, () => {
      connect().then(
        () => subscriptions.gap(),
        () => !isClosed && reconnectIn(Math.min(ms * 2, LAST_RETRY_MS)),
      );
    });
  }

  await connect();

  return {
    async publish(topic, payload) {
      await pool.query('select pg_notify($1, $2)', [channelOf(topic), encodePayload(payload)]);
    },
    async subscribe(topic, onMessage, onGap) {
      const channel = channelOf(topic);
      const subscription = subscriptions.add(channel, onMessage, onGap);
      // Without a connection now, or with one that is just breaking, the next one listens to all that have subscribers.
      await client?.query(`LISTEN ${channel}`).catch(() => undefined);
      return {
        async stop() {
          if (subscription.remove() === 0) await client?.query(`UNLISTEN ${channel}`).catch(() => undefined);
        },
      };
    },
    healthy: answers,
    async close() {
      isClosed = true;
      ping.cancel();
      retry?.cancel();
      await client?.end().catch(() => undefined);
    },
  };
}
