import type { FastifyInstance } from 'fastify';
import type { Clock, Timer } from '../core/clock.js';
import type { Health } from './deps.js';
import { unavailable } from './format-error.js';

/** A request that takes longer makes the gateway ask whether the database is there; the answer takes 1.5 s at most. */
const PATIENCE_MS = 500;

/**
 * Tells whoever waits for a database that has gone silent to try again. A connection that died without a word fails no
 * query for minutes, and nothing else would end the wait. Slow work goes on, for as long as the database answers others.
 */
export function answerOutages(server: FastifyInstance, clock: Clock, check: () => Promise<Health>): void {
  let asking: Promise<boolean> | undefined;
  /** One question at a time, however many wait for it. */
  const isDatabaseThere = (): Promise<boolean> => {
    asking ??= check()
      .then(({ database }) => database)
      .catch(() => false)
      .finally(() => {
        asking = undefined;
      });
    return asking;
  };
  server.addHook('preHandler', async (_request, reply) => {
    let timer: Timer | undefined;
    const look = async (): Promise<void> => {
      const isThere = await isDatabaseThere();
      if (reply.sent || reply.raw.destroyed) return;
      if (isThere) wait();
      else void reply.header('retry-after', '2').send(unavailable());
    };
    const wait = () => {
      timer = clock.after(PATIENCE_MS, () => void look());
    };
    reply.raw.once('close', () => timer?.cancel());
    wait();
  });
}
