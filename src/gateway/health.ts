import type { FastifyInstance } from 'fastify';
import { HEALTH_TIMEOUT_MS } from '../core/answers-within.js';
import type { Clock } from '../core/clock.js';
import type { Health } from './deps.js';

/** A check that hangs is a check that failed; one server that hangs says so by itself before. */
const CHECK_MS = HEALTH_TIMEOUT_MS + 500;

const NONE: Health = { database: false, queue: false, bus: false };

function withinTime(clock: Clock, check: () => Promise<Health>): Promise<Health> {
  return new Promise((resolve) => {
    const timer = clock.after(CHECK_MS, () => resolve(NONE));
    const settle = (health: Health) => {
      timer.cancel();
      resolve(health);
    };
    check().then(settle, () => settle(NONE));
  });
}

const word = (isUp: boolean) => (isUp ? 'ok' : 'down');

/**
 * `GET /health/live`: the process answers. `GET /health/ready`: it can do its work; 503 without the database or while
 * it stops, `degraded` (and 200) without queue or bus, since work then waits in the database and goes on later.
 */
export function healthRoutes(
  server: FastifyInstance,
  clock: Clock,
  check: () => Promise<Health>,
  isStopping: () => boolean,
): void {
  server.get('/health/live', async (_request, reply) => {
    reply.header('cache-control', 'no-store');
    return { status: 'ok' };
  });
  server.get('/health/ready', async (_request, reply) => {
    const { database, queue, bus } = await withinTime(clock, check);
    const status = isStopping() ? 'stopping' : !database ? 'unavailable' : queue && bus ? 'ok' : 'degraded';
    reply.code(status === 'ok' || status === 'degraded' ? 200 : 503).header('cache-control', 'no-store');
    return { status, checks: { database: word(database), queue: word(queue), bus: word(bus) } };
  });
}
