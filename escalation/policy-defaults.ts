import type { AskedClass, FailureClass } from '../src/core/failure-class.js';
import type { Policy, PolicyStep, Role } from './policy.js';
import { VERDICTS, type VerdictKind } from './verdict.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/**
 * The class whose policy answers for a class. Nobody is asked about what retrying mends, nor about what the caller is
 * told at once. Should one come up all the same, because somebody opened it by hand: a fault that has not passed is
 * critical, and a wrong request is a decision about its pipeline.
 */
export function askedClass(failureClass: FailureClass): AskedClass {
  if (failureClass === 'TRANSIENT') return 'CRITICAL_FAILURE';
  if (failureClass === 'INVALID_REQUEST') return 'PIPELINE_DECISION';
  return failureClass;
}

/** The policy that comes with Sluice for a class. */
export const defaultPolicy = (failureClass: FailureClass): Policy => DEFAULTS[askedClass(failureClass)];

// Everything that the job can do about rows and specs.
const ABOUT_ROWS: readonly VerdictKind[] = VERDICTS;
// The rows are not what is wrong.
const ABOUT_SERVICE: readonly VerdictKind[] = ['RETRY', 'RESUME', 'PATCH_SPEC', 'PAUSE_TARGET', 'ABORT'];
// Nothing that goes on with, or leaves out, rows of which nobody knows whether they are right.
const ABOUT_CORRUPTION: readonly VerdictKind[] = ['RETRY', 'PATCH_SPEC', 'PAUSE_TARGET', 'ABORT'];

const step = (role: Role, waitMs: number, allowedVerdicts: readonly VerdictKind[], tell?: Role): PolicyStep => ({
  ask: [{ role }],
  tell: tell ? [{ role: tell }] : [],
  waitMs,
  // The feed is last because it always works: what stands behind it is never tried.
  channels: ['WEBHOOK', 'EMAIL', 'FEED'],
  onEmpty: 'SKIP',
  allowedVerdicts,
  quorum: 1,
});

// The CEO is asked every two hours for a week.
const REPEAT_FOR_A_WEEK = (7 * 24) / 2 - 1;

const policy = (
  id: string,
  failureClass: AskedClass,
  steps: readonly PolicyStep[],
  rest: Pick<Policy, 'repeat' | 'autoResolve'>,
): Policy => ({
  id,
  // Not saved by anybody: the first that is saved gets 1.
  version: 0,
  failureClass,
  pipeline: null,
  steps,
  ackTimeoutMs: 30 * MINUTE,
  groupWindowMs: HOUR,
  maintenance: [],
  endAction: 'HOLD',
  catchUp: 'NEXT_STEP',
  ...rest,
});

/** The rule book of the data-processing layer: who is asked, and how long each has. */
const DEFAULTS: Readonly<Record<AskedClass, Policy>> = {
  PIPELINE_DECISION: policy(
    'pipeline-decision',
    'PIPELINE_DECISION',
    [step('CHIEF', HOUR, ABOUT_ROWS), step('CEO', 2 * HOUR, ABOUT_ROWS)],
    { repeat: 0, autoResolve: true },
  ),
  QUEUE_PERFORMANCE: policy(
    'queue-performance',
    'QUEUE_PERFORMANCE',
    [
      step('DOMAIN', 30 * MINUTE, ABOUT_SERVICE),
      step('CHIEF', HOUR, ABOUT_SERVICE),
      step('CEO', 2 * HOUR, ABOUT_SERVICE),
    ],
    { repeat: 0, autoResolve: true },
  ),
  WORKFLOW_INTEGRATION: policy(
    'workflow-integration',
    'WORKFLOW_INTEGRATION',
    [
      step('PEER', 30 * MINUTE, ABOUT_SERVICE),
      step('DOMAIN', 30 * MINUTE, ABOUT_SERVICE),
      step('CHIEF', HOUR, ABOUT_SERVICE),
      step('CEO', 2 * HOUR, ABOUT_SERVICE),
    ],
    { repeat: 0, autoResolve: true },
  ),
  CRITICAL_FAILURE: policy('critical-failure', 'CRITICAL_FAILURE', [step('CEO', 2 * HOUR, ABOUT_SERVICE, 'CHIEF')], {
    repeat: REPEAT_FOR_A_WEEK,
    autoResolve: true,
  }),
  // A later run that goes well does not mend what is in the target already.
  DATA_CORRUPTION: policy('data-corruption', 'DATA_CORRUPTION', [step('CEO', 2 * HOUR, ABOUT_CORRUPTION, 'CHIEF')], {
    repeat: REPEAT_FOR_A_WEEK,
    autoResolve: false,
  }),
};

export const DEFAULT_POLICIES: readonly Policy[] = Object.values(DEFAULTS);
