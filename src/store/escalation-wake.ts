import { z } from 'zod';
import type { Wake } from '../../escalation/ports.js';
import { TOPICS } from '../jobs/events.js';
import type { EventBus } from '../jobs/ports.js';

const word = z.object({ what: z.enum(['REPORT', 'DUE', 'OUTBOX', 'LOG']), tenant: z.string() });

/** Words over the bus of the jobs. After a gap everybody looks, whatever their tenant: a word may have been lost. */
export function createEscalationWake(bus: Pick<EventBus, 'publish' | 'subscribe'>): Wake {
  return {
    tell: (what, tenant) => bus.publish(TOPICS.escalations, { what, tenant }),
    on: (what, run) =>
      bus.subscribe(
        TOPICS.escalations,
        (payload) => {
          const told = word.safeParse(payload).data;
          if (told?.what === what) run(told.tenant);
        },
        () => run(null),
      ),
  };
}
