import type { MaintenanceWindow } from './policy.js';

/** The time itself, or the end of the windows that it falls into: one may end inside another. */
export function afterMaintenance(at: Date, windows: readonly MaintenanceWindow[]): Date {
  let time = at.getTime();
  for (const { from, to } of windows.toSorted((a, b) => a.from.getTime() - b.from.getTime())) {
    if (from.getTime() <= time && time < to.getTime()) time = to.getTime();
  }
  return new Date(time);
}
