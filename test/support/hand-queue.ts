import type { JobQueue, OfferOptions } from '../../src/jobs/ports.js';

export interface HandQueue extends JobQueue {
  readonly offers: { readonly jobId: string; readonly options: OfferOptions }[];
  /** Gives a worker a hint now, whatever was offered. @returns when it was handled */
  hint(jobId: string): Promise<void>;
}

/**
 * A queue in which every hint is in the hands of the test: offers are only written down. What the real engines do
 * with them is for the conformance suite; a worker must get along with hints that come twice, late, or never.
 */
export function handQueue(): HandQueue {
  const offers: HandQueue['offers'] = [];
  let handle: ((jobId: string) => Promise<void>) | undefined;
  return {
    offers,
    async hint(jobId) {
      await handle?.(jobId);
    },
    async offer(jobId, options = {}) {
      offers.push({ jobId, options });
    },
    async offerAll(all) {
      for (const { jobId, ...options } of all) offers.push({ jobId, options });
    },
    waiting: async () => 0,
    async work(_concurrency, handler) {
      handle = handler;
      return { stop: async () => undefined };
    },
    healthy: async () => true,
    close: async () => undefined,
  };
}
