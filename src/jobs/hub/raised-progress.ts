import type { JobProgress } from '../job.js';

/**
 * Progress whose counts are not below what the same reader was told before. A snapshot tells how things are now, and
 * the events that follow it may be older: without this a progress bar would jump back.
 */
export function raisedProgress(floor: JobProgress | undefined, progress: JobProgress): JobProgress {
  if (!floor) return progress;
  return {
    ...progress,
    rowsRead: Math.max(floor.rowsRead, progress.rowsRead),
    rowsLoaded: Math.max(floor.rowsLoaded, progress.rowsLoaded),
    rowsFiltered: Math.max(floor.rowsFiltered, progress.rowsFiltered),
    rowsDeduplicated: Math.max(floor.rowsDeduplicated, progress.rowsDeduplicated),
    rowsQuarantined: Math.max(floor.rowsQuarantined, progress.rowsQuarantined),
    chunksDone: Math.max(floor.chunksDone, progress.chunksDone),
    totalRows: progress.totalRows ?? floor.totalRows,
    chunksTotal: progress.chunksTotal ?? floor.chunksTotal,
  };
}
