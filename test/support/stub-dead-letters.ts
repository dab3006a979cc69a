import { newId } from '../../src/core/ids.js';
import type { DeadLetterService, Taken } from '../../src/jobs/dead-letters/ports.js';

const NONE: Taken = { taken: 0, refusedCount: 0, refused: [], remaining: 0 };

/** An empty dead-letter list, of which every method can be replaced. */
export function stubDeadLetters(methods: Partial<DeadLetterService> = {}): DeadLetterService {
  return {
    list: async () => ({ items: [], hasNextPage: false, totalCount: 0 }),
    groups: async () => [],
    redrive: async () => ({ redrive: { ...NONE, id: newId(), lastDueAt: null }, replayed: false }),
    discard: async () => NONE,
    redrivesOf: async () => [],
    discardOf: async () => null,
    ...methods,
  };
}
