import type { JobEvent } from '../../src/jobs/events.js';
import type { Job } from '../../src/jobs/job.js';
import { NO_ROWS } from '../../src/jobs/job.js';
import type { JobService, JobWatcher } from '../../src/jobs/job-service.js';

/** A job as a store would answer it. */
export function aJob(overrides: Partial<Job> = {}): Job {
  return {
    id: '01931c00-0000-7000-8000-000000000001',
    tenant: 'default',
    kind: 'ETL',
    name: 'orders',
    owner: 'layer-12',
    state: 'QUEUED',
    stage: null,
    spec: {},
    idempotencyKey: null,
    priority: 0,
    attempt: 0,
    maxAttempts: 5,
    error: null,
    progress: {
      ...NO_ROWS,
      totalRows: null,
      chunksDone: 0,
      chunksTotal: null,
      rowsPerSecond: null,
      etaSeconds: null,
      stageProgress: null,
    },
    lastSeq: 1,
    createdAt: new Date('2026-11-23T09:30:00Z'),
    startedAt: null,
    finishedAt: null,
    dueAt: null,
    cancelRequested: false,
    replayOf: null,
    ...overrides,
  };
}

const EMPTY_PAGE = { items: [], hasNextPage: false, totalCount: 0 };

/** A job service whose every method can be replaced; it is the gateway that is tested with it, not jobs. */
export function stubJobs(methods: Partial<JobService> = {}): JobService {
  return {
    launchEtl: async (_caller, { name }) => ({ job: aJob({ name }), replayed: false }),
    get: async (_caller, id) => aJob({ id }),
    attempts: async () => [],
    list: async () => EMPTY_PAGE,
    report: async () => [],
    preview: async () => ({
      stages: [],
      sql: 'SELECT 1',
      expectations: [],
      rowsRead: 0,
      rowsQuarantined: 0,
      quarantined: [],
    }),
    inferSchema: async () => [],
    ...methods,
  };
}

/** A watcher whose streams stay open and silent until their reader leaves; counts those that are open. */
export function silentWatcher(): JobWatcher & { readonly open: () => number } {
  let open = 0;
  const stream = (): AsyncIterableIterator<JobEvent> => {
    open += 1;
    let finish: (() => void) | undefined;
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    return {
      async next() {
        await finished;
        return { done: true, value: undefined };
      },
      async return() {
        if (finish) open -= 1;
        finish?.();
        finish = undefined;
        return { done: true, value: undefined };
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  };
  return { watchJob: stream, watchFeed: stream, open: () => open };
}
