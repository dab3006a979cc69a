import type { JobReport } from './operations.js';
import { durationText, timeText } from './quantities.js';
import { textTable } from './text-table.js';
import { durationMs } from './time-line.js';

/** The attempts of a job as a table, oldest first. */
export function attemptTable(attempts: JobReport['attempts']): string[] {
  return textTable(
    [
      { title: 'attempt', align: 'right' },
      { title: 'outcome', align: 'left' },
      { title: 'started', align: 'left' },
      { title: 'took', align: 'right' },
      { title: 'worker', align: 'left' },
      { title: 'error', align: 'left' },
    ],
    attempts.map(({ number, outcome, startedAt, duration, worker, error }) => [
      String(number),
      outcome ?? 'RUNNING',
      timeText(startedAt),
      duration === null ? '' : durationText(durationMs(duration)),
      worker,
      error === null ? '' : `${error.message} (${error.code})`,
    ]),
  );
}
