/** What is remembered of a monitor between looks. */
export interface MonitorMemory {
  /** Every look since then found a breach. */
  readonly breachedSince: Date;
  /** Every look since then found none; only counts after a report. */
  readonly metSince: Date | null;
  readonly reported: boolean;
}

export interface Followed {
  /** Null: forget the monitor. */
  readonly memory: MonitorMemory | null;
  readonly report: 'FAILED' | 'RECOVERED' | null;
}

const hasLasted = (since: Date, at: Date, lastingMs: number): boolean => at.getTime() - since.getTime() >= lastingMs;

/**
 * What a look makes of what was remembered. Both a breach and its end have to last, so that a figure that swings around
 * its bound neither opens nor closes anything.
 * @param breached null when it cannot be told: that neither ends nor prolongs what was reported
 */
export function followBreach(
  memory: MonitorMemory | null,
  breached: boolean | null,
  at: Date,
  lastingMs: number,
): Followed {
  if (breached) {
    const breachedSince = memory?.breachedSince ?? at;
    const isNew = !memory?.reported && hasLasted(breachedSince, at, lastingMs);
    const reported = memory?.reported === true || isNew;
    return { memory: { breachedSince, metSince: null, reported }, report: isNew ? 'FAILED' : null };
  }
  if (!memory?.reported) return { memory: null, report: null };
  if (breached === null) return { memory: { ...memory, metSince: null }, report: null };
  const metSince = memory.metSince ?? at;
  if (hasLasted(metSince, at, lastingMs)) return { memory: null, report: 'RECOVERED' };
  return { memory: { ...memory, metSince }, report: null };
}
