import type { Log } from '../../core/log.js';
import { specHashOf } from '../parse-launch.js';
import { checkedFilter, parseChoice, parseKey, parseRate, parseReason } from './parse-choice.js';
import type { DeadLetterService, DeadLetterStore } from './ports.js';

export interface DeadLetterServiceDeps {
  readonly store: DeadLetterStore;
  readonly log: Log;
}

/** Checks what callers ask of dead letters; a redrive is carried on by the sweeper, which gives every job its turn. */
export function createDeadLetterService({ store, log }: DeadLetterServiceDeps): DeadLetterService {
  return {
    list: async ({ tenant }, filter, page) => store.list(tenant, checkedFilter(filter), page),
    groups: async ({ tenant }, filter, first) => store.groups(tenant, checkedFilter(filter), first),

    async redrive({ tenant, name }, request) {
      const selection = parseChoice(request, true);
      const ratePerSecond = parseRate(request);
      const idempotencyKey = parseKey(request);
      // Dates as texts, for the hash knows JSON alone.
      const inputHash = specHashOf(JSON.parse(JSON.stringify({ selection, ratePerSecond })));
      const answer = await store.redrive(tenant, name, { selection, ratePerSecond, idempotencyKey, inputHash });
      const { id, taken, refusedCount } = answer.redrive;
      if (!answer.replayed)
        log.info({ tenant, by: name, redrive: id, taken, refusedCount }, 'dead letters are redriven');
      return answer;
    },

    async discard({ tenant, name }, choice, given) {
      const selection = parseChoice(choice, false);
      const reason = parseReason(given);
      const answer = await store.discard(tenant, name, selection, reason);
      const { taken, refusedCount } = answer;
      log.info({ tenant, by: name, taken, refusedCount, why: reason }, 'dead letters are discarded');
      return answer;
    },

    redrivesOf: ({ tenant }, jobId, last) => store.redrivesOf(tenant, jobId, last),
    discardOf: ({ tenant }, jobId) => store.discardOf(tenant, jobId),
  };
}
