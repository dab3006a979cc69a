import type { Log } from '../core/log.js';

/** What is known of a server that may go away: by the connections to it, of which each tells for itself. */
export interface Outage {
  /** The part has lost the server, or still does not reach it. */
  lost(part: object, reason: string): void;
  found(part: object): void;
}

/** One line when the server goes away and one when it is back, however many connections notice how often. */
export function createOutage(log: Log, server: string): Outage {
  const without = new Set<object>();
  return {
    lost(part, reason) {
      if (without.size === 0)
        log.warn({ reason }, `${server} is away: work waits in PostgreSQL, and goes on when it is back`);
      without.add(part);
    },
    found(part) {
      if (without.delete(part) && without.size === 0) log.info({}, `${server} is there again`);
    },
  };
}
