import type { QuarantineService } from '../../src/jobs/quarantine/ports.js';
import { aJob } from './stub-jobs.js';

/** A quarantine without rows, whose every method can be replaced. */
export function stubQuarantine(methods: Partial<QuarantineService> = {}): QuarantineService {
  return {
    list: async () => ({ items: [], hasNextPage: false, totalCount: 0 }),
    groups: async () => ({ groups: [], totalGroups: 0, counts: [] }),
    async download() {
      return (async function* () {})();
    },
    fix: async () => ({ rows: 0, good: 0, bad: 0, fixed: 0, reasons: [], samples: [] }),
    discard: async () => 0,
    replay: async (_caller, { filter }) => ({ job: aJob({ replayOf: filter.jobId }), replayed: false, rows: 1 }),
    ...methods,
  };
}
