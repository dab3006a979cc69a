import type { ErrorCode } from '../../core/errors.js';
import type { Snapshot } from './snapshot.js';
import type { SuccessMetric, SuccessMetricName } from './success-metrics.js';

/** A monitor's word about a snapshot. */
export interface Reading {
  readonly monitor: string;
  /** What a breach is reported as. Default OBJECTIVE_MISSED. */
  readonly code?: ErrorCode;
  /** Null when it cannot be told. */
  readonly breached: boolean | null;
  /** A sentence for the agent who is asked. */
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** A job that waits for longer is a backlog that workers do not keep up with. */
export const BACKLOG_AGE_MS = 5 * 60_000;
/** Evaluating a large source moves nothing for minutes; longer than this, somebody should look. */
export const STALLED_MS = 15 * 60_000;
/** A lease that nobody renews is taken over within 10 s; after this nobody does. */
export const ABANDONED_MS = 60_000;
/** The window in which dead letters are counted for a spike. */
export const SPIKE_WINDOW_MS = 10 * 60_000;
/** A job dies by its own fault now and then; so many at once have something in common. */
export const SPIKE_JOBS = 10;

export const UTILISATION_LEVELS = [
  { level: 'CRITICAL', above: 95 },
  { level: 'OVERLOADED', above: 85 },
  { level: 'BUSY', above: 70 },
] as const;
export type UtilisationLevel = (typeof UTILISATION_LEVELS)[number]['level'] | 'NORMAL';

/** @returns percent of the slots that are busy, or null without any worker */
export const utilisation = ({ slots, busySlots }: Pick<Snapshot, 'slots' | 'busySlots'>): number | null =>
  slots > 0 ? (100 * busySlots) / slots : null;

export const levelOf = (percent: number): UtilisationLevel =>
  UTILISATION_LEVELS.find(({ above }) => percent > above)?.level ?? 'NORMAL';

const seconds = (ms: number): number => Math.round(ms / 1_000);

function backlogAge({ oldestQueuedMs, queued }: Snapshot): Reading {
  return {
    monitor: 'backlog-age',
    breached: (oldestQueuedMs ?? 0) > BACKLOG_AGE_MS,
    message:
      oldestQueuedMs === null
        ? 'No job waits.'
        : `The oldest of ${queued} queued jobs has waited ${seconds(oldestQueuedMs)} s; the bound is ${seconds(BACKLOG_AGE_MS)} s.`,
    details: { queued, oldestQueuedMs, boundMs: BACKLOG_AGE_MS },
  };
}

function stalledWork({ stalled, stalledJobId, longestStalledMs }: Snapshot): Reading {
  return {
    monitor: 'stalled-work',
    breached: stalled > 0,
    message:
      stalled === 0
        ? 'Every running job moves.'
        : `${stalled} running jobs do not move; ${stalledJobId} has stood still for ${seconds(longestStalledMs ?? 0)} s.`,
    details: { stalled, stalledJobId, longestStalledMs, boundMs: STALLED_MS },
  };
}

/** BUSY is worth knowing, OVERLOADED and CRITICAL are worth asking somebody. */
function workerUtilisation(snapshot: Snapshot): Reading {
  const { slots, busySlots, queued } = snapshot;
  const percent = utilisation(snapshot);
  const level = levelOf(percent ?? 0);
  return {
    monitor: 'worker-utilisation',
    breached: level === 'OVERLOADED' || level === 'CRITICAL',
    message:
      percent === null
        ? 'No worker runs.'
        : `${busySlots} of ${slots} worker slots are busy (${level}), and ${queued} jobs wait.`,
    details: { level, percent, busySlots, slots, queued },
  };
}

/** Over when they are redriven or discarded, or when no others have died for the window. */
function deadLettersSpike({ diedLately, deadLetters }: Snapshot): Reading {
  return {
    monitor: 'dead-letters-spike',
    code: 'DEAD_LETTERS_SPIKE',
    breached: diedLately > SPIKE_JOBS,
    message: `${diedLately} dead letters came within the last ${seconds(SPIKE_WINDOW_MS)} s; the bound is ${SPIKE_JOBS}.`,
    details: { diedLately, deadLetters, bound: SPIKE_JOBS, windowMs: SPIKE_WINDOW_MS },
  };
}

/** `COMPLETION_RATE` as `completion-rate` */
export const monitorOf = (metric: SuccessMetricName): string => metric.toLowerCase().replaceAll('_', '-');

const UNIT_WORDS = { PERCENT: '%', RECORDS_PER_MINUTE: ' records/minute' } as const;

function successMetric({ name, value, unit, objective, samples, breached, windowMs }: SuccessMetric): Reading {
  const word = UNIT_WORDS[unit];
  const wanted = `${objective.relation === 'ABOVE' ? 'more' : 'less'} than ${objective.bound}${word}`;
  const shown = value === null ? 'not known' : `${Number(value.toFixed(3))}${word}`;
  return {
    monitor: monitorOf(name),
    breached,
    message: `${name} is ${shown} over the last ${seconds(windowMs)} s; the objective is ${wanted}.`,
    details: { metric: name, value, unit, objective, samples, windowMs },
  };
}

/** Every monitor's reading of the snapshot. */
export const readingsOf = (snapshot: Snapshot): readonly Reading[] => [
  backlogAge(snapshot),
  stalledWork(snapshot),
  workerUtilisation(snapshot),
  deadLettersSpike(snapshot),
  ...snapshot.metrics.map(successMetric),
];
