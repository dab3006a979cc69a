import type { JobEvent, JobReport, Progress } from '../../../src/cli/operations.js';

export const aProgress = (given: Partial<Progress> = {}): Progress => ({
  rowsRead: 0,
  rowsLoaded: 0,
  rowsFiltered: 0,
  rowsDeduplicated: 0,
  rowsQuarantined: 0,
  rowsReshaped: 0,
  totalRows: null,
  chunksDone: 0,
  chunksTotal: null,
  rowsPerSecond: null,
  etaSeconds: null,
  stageProgress: null,
  ...given,
});

export const anEvent = (given: Partial<JobEvent> = {}): JobEvent => ({
  seq: 1,
  at: '2026-11-23T10:00:00.000Z',
  kind: 'STATE',
  state: 'RUNNING',
  stage: null,
  progress: aProgress(),
  message: null,
  error: null,
  ...given,
});

export const aReport = (given: Partial<JobReport> = {}): JobReport => ({
  id: '0192aaaa-0000-7000-8000-000000000001',
  name: 'orders',
  state: 'SUCCEEDED',
  createdAt: '2026-11-23T10:00:00.000Z',
  startedAt: '2026-11-23T10:00:00.100Z',
  finishedAt: '2026-11-23T10:00:02.100Z',
  attempt: 1,
  progress: aProgress({ rowsRead: 12, rowsLoaded: 10, rowsQuarantined: 2 }),
  error: null,
  attempts: [],
  expectations: [],
  quarantine: { totalCount: 0, edges: [] },
  ...given,
});
