import type { Clock } from '../../core/clock.js';
import { startDueLoop } from '../../core/due-loop.js';
import type { Log } from '../../core/log.js';
import { followBreach } from './follow-breach.js';
import type { Finding, MonitorStore, Sight } from './ports.js';
import { type Reading, readingsOf } from './rules.js';
import { DEFAULT_WINDOW_MS } from './success-metrics-service.js';

const LOOK_MS = 20_000;
/** Three looks in a row. */
const LASTING_MS = 60_000;

export interface MonitorsOptions {
  readonly store: MonitorStore;
  readonly clock: Clock;
  readonly log: Log;
  /** How often somebody looks, however many processes do. Default 20 s. */
  readonly everyMs?: number;
  /** How long a breach, and its end, have to last before they are reported. Default 60 s. */
  readonly lastingMs?: number;
}

export interface Monitors {
  /** Looks now. */
  wake(): void;
  /** Resolves when the look in hand is over. */
  stop(): Promise<void>;
}

function findingOf(
  { monitor, code = 'OBJECTIVE_MISSED', breached, message, details }: Reading,
  { memory, at }: Sight,
  lastingMs: number,
): Finding {
  const remembered = memory.get(monitor) ?? null;
  const followed = followBreach(remembered, breached, at, lastingMs);
  const breachedSince = (followed.memory ?? remembered)?.breachedSince.toISOString();
  return {
    monitor,
    memory: followed.memory,
    report: followed.report && {
      kind: followed.report,
      monitor,
      code,
      message,
      details: { ...details, breachedSince },
    },
  };
}

/** What all monitors find, from what they see and what they remember. */
export const judge =
  (lastingMs: number) =>
  (sight: Sight): readonly Finding[] =>
    readingsOf(sight.snapshot).map((reading) => findingOf(reading, sight, lastingMs));

/** Watches the service. Any number of processes may: they look in turns, and a breach is reported once. */
export function startMonitors({
  store,
  clock,
  log,
  everyMs = LOOK_MS,
  lastingMs = LASTING_MS,
}: MonitorsOptions): Monitors {
  async function look(): Promise<null> {
    // Half, so that a process that is a little early does not skip its turn.
    const findings = await store.look(DEFAULT_WINDOW_MS, everyMs / 2, judge(lastingMs));
    for (const { report } of findings ?? []) {
      if (report?.kind === 'FAILED') log.warn({ monitor: report.monitor, ...report.details }, report.message);
      else if (report) log.info({ monitor: report.monitor }, `over: ${report.message}`);
    }
    return null;
  }
  return startDueLoop({ name: 'monitors', work: look, pollMs: everyMs, clock, log });
}
