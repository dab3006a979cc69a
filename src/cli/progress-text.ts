import type { JobEvent, Progress } from './operations.js';
import { countText, durationText } from './quantities.js';

/** How much of the current stage is done, 0 to 1; undefined when nobody can know. */
export function shareDone({ stage, progress }: Pick<JobEvent, 'stage' | 'progress'>): number | undefined {
  if (stage === 'LOADING' && progress.totalRows !== null && progress.totalRows > 0) {
    return clamp(progress.rowsLoaded / progress.totalRows);
  }
  return progress.stageProgress === null ? undefined : clamp(progress.stageProgress);
}

/** `1,200,000 of 3,000,000 rows, 410,000 rows/s, ETA 4.4 s, chunks 8/20`, as much of it as is known. */
export function progressText(progress: Progress): string {
  const { rowsLoaded, totalRows, rowsPerSecond, etaSeconds, chunksDone, chunksTotal } = progress;
  const parts: string[] = [];
  if (totalRows !== null) parts.push(`${countText(rowsLoaded)} of ${countText(totalRows)} rows`);
  if (rowsPerSecond !== null && rowsPerSecond > 0) parts.push(`${countText(rowsPerSecond)} rows/s`);
  if (etaSeconds !== null && etaSeconds > 0) parts.push(`ETA ${durationText(etaSeconds * 1000)}`);
  if (chunksTotal !== null) parts.push(`chunks ${chunksDone}/${chunksTotal}`);
  return parts.join(', ');
}

/** What people read in place of the codes. */
export function activityText({ state, stage }: Pick<JobEvent, 'state' | 'stage'>): string {
  return state === 'RUNNING' && stage !== null ? stage.toLowerCase() : state.toLowerCase().replaceAll('_', ' ');
}

const clamp = (share: number) => Math.min(1, Math.max(0, share));
