import { ERROR_CODES, type ErrorCode, HANDOVERS } from '../src/core/errors.js';
import type { FailureClass } from '../src/core/failure-class.js';
import type { FailureReport } from './failure-report.js';

/** What the rules look at. */
export type Classifiable = Pick<FailureReport, 'source' | 'code' | 'failureClass' | 'details' | 'settings'>;

export interface Classification {
  readonly failureClass: FailureClass;
  /** Name of the rule that decided; in the log of every escalation. */
  readonly rule: string;
  /** 0 to 1: how sure the rule is of its class. */
  readonly confidence: number;
}

interface Rule {
  readonly name: string;
  readonly when: (report: Classifiable) => boolean;
  readonly failureClass: FailureClass | 'OF_REPORT';
  readonly confidence: number;
}

const coded =
  (...codes: readonly ErrorCode[]) =>
  ({ code }: Classifiable): boolean =>
    codes.includes(code);

/** The code that came back on every attempt. */
const exhaustedBy =
  (...codes: readonly ErrorCode[]) =>
  ({ code, details }: Classifiable): boolean =>
    code === 'RETRIES_EXHAUSTED' && codes.some((last) => last === details.lastCode);

/** PostgreSQL's word for it, by prefix: Appendix A of its documentation. */
const sqlState =
  (...prefixes: readonly string[]) =>
  ({ details }: Classifiable): boolean => {
    const state = details.sqlState;
    return typeof state === 'string' && prefixes.some((prefix) => state.startsWith(prefix));
  };

const all =
  (...conditions: readonly Rule['when'][]) =>
  (report: Classifiable): boolean =>
    conditions.every((condition) => condition(report));

/** Whether it happened on the way to or from other work, rather than in the data or underneath it. */
const atHandover = ({ details }: Classifiable): boolean => HANDOVERS.some((place) => details.origin === place);

const LOCKED = '55P03';
const DUPLICATE_KEY = '23505';

/** In this order; the first that fits decides. */
export const CLASS_RULES: readonly Rule[] = [
  // Somebody says so himself, and names the class.
  { name: 'opened-by-hand', when: ({ source }) => source === 'PERSON', failureClass: 'OF_REPORT', confidence: 1 },

  // What has reached the target, or was read, cannot be trusted.
  {
    name: 'reconciliation-broken',
    when: coded('RECONCILIATION_FAILED'),
    failureClass: 'DATA_CORRUPTION',
    confidence: 1,
  },
  { name: 'source-changed', when: coded('SOURCE_CHANGED'), failureClass: 'DATA_CORRUPTION', confidence: 0.9 },
  {
    name: 'duplicate-key-after-load',
    when: all(coded('CONSTRAINT_VIOLATION'), sqlState(DUPLICATE_KEY), ({ details }) => details.stage === 'FINISHING'),
    failureClass: 'DATA_CORRUPTION',
    confidence: 0.9,
  },

  // Figures of the service, raised by monitors.
  { name: 'objective-missed', when: coded('OBJECTIVE_MISSED'), failureClass: 'QUEUE_PERFORMANCE', confidence: 1 },
  {
    name: 'dead-letters-spike',
    when: coded('DEAD_LETTERS_SPIKE'),
    failureClass: 'CRITICAL_FAILURE',
    confidence: 1,
  },

  // Between pieces of work.
  { name: 'handover-failed', when: atHandover, failureClass: 'WORKFLOW_INTEGRATION', confidence: 0.9 },

  // The pipeline and its data do not fit each other: its owner decides.
  {
    name: 'error-budget-broken',
    when: coded('ERROR_BUDGET_EXCEEDED'),
    failureClass: 'PIPELINE_DECISION',
    confidence: 1,
  },
  { name: 'expectation-failed', when: coded('EXPECTATION_FAILED'), failureClass: 'PIPELINE_DECISION', confidence: 1 },
  { name: 'target-drifted', when: coded('TARGET_INCOMPATIBLE'), failureClass: 'PIPELINE_DECISION', confidence: 1 },
  {
    name: 'target-lost',
    when: coded('TARGET_NOT_FOUND', 'TARGET_NOT_ALLOWED'),
    failureClass: 'PIPELINE_DECISION',
    confidence: 0.9,
  },
  {
    name: 'constraint-refused',
    when: coded('CONSTRAINT_VIOLATION'),
    failureClass: 'PIPELINE_DECISION',
    confidence: 0.9,
  },
  { name: 'job-too-slow', when: coded('JOB_TIMEOUT'), failureClass: 'PIPELINE_DECISION', confidence: 0.8 },
  { name: 'job-too-large', when: coded('RESOURCE_EXHAUSTED'), failureClass: 'PIPELINE_DECISION', confidence: 0.8 },

  // It looked temporary and came back on every attempt.
  {
    name: 'target-stays-locked',
    when: all(exhaustedBy('UNAVAILABLE'), sqlState(LOCKED)),
    failureClass: 'WORKFLOW_INTEGRATION',
    confidence: 0.8,
  },
  {
    name: 'loads-hang-every-time',
    when: exhaustedBy('CHUNK_TIMEOUT'),
    failureClass: 'WORKFLOW_INTEGRATION',
    confidence: 0.7,
  },
  {
    name: 'deadlocks-every-time',
    when: all(exhaustedBy('UNAVAILABLE'), sqlState('40')),
    failureClass: 'WORKFLOW_INTEGRATION',
    confidence: 0.7,
  },
  {
    name: 'infrastructure-down',
    when: exhaustedBy('UNAVAILABLE', 'DATABASE_UNREACHABLE', 'QUEUE_UNREACHABLE', 'DISK_FULL', 'STAGING_FULL'),
    failureClass: 'CRITICAL_FAILURE',
    confidence: 1,
  },
  {
    name: 'workers-keep-dying',
    when: exhaustedBy('LEASE_LOST', 'SHUTTING_DOWN'),
    failureClass: 'CRITICAL_FAILURE',
    confidence: 0.9,
  },
  { name: 'retries-exhausted', when: coded('RETRIES_EXHAUSTED'), failureClass: 'CRITICAL_FAILURE', confidence: 0.8 },

  // Ours, or of the ground under us.
  {
    name: 'system-store-unusable',
    when: coded('DATABASE_TOO_OLD', 'DATABASE_TOO_NEW', 'MIGRATION_CHANGED'),
    failureClass: 'CRITICAL_FAILURE',
    confidence: 1,
  },
  { name: 'unexpected', when: coded('INTERNAL'), failureClass: 'CRITICAL_FAILURE', confidence: 0.7 },
];

/** The class of the error itself; by a code that no rule knows more of. */
const CODE_TABLE = 'code-table';
const CODE_TABLE_CONFIDENCE = 0.6;
const OVERRIDE = 'pipeline-override';

/** Which class a failure belongs to, and by which rule; what the job itself says stands before every rule. Pure. */
export function classify(report: Classifiable): Classification {
  const override = report.settings.classes.find(({ code }) => code === report.code);
  if (override) return { failureClass: override.failureClass, rule: OVERRIDE, confidence: 1 };
  const rule = CLASS_RULES.find(({ when }) => when(report));
  if (!rule) return byCode(report);
  const failureClass = rule.failureClass === 'OF_REPORT' ? report.failureClass : rule.failureClass;
  return { failureClass, rule: rule.name, confidence: rule.confidence };
}

/** An error may know better than its code, e.g. that a driver's error will pass. */
function byCode({ code, failureClass }: Classifiable): Classification {
  const isOfCode = ERROR_CODES[code].failureClass === failureClass;
  return { failureClass, rule: CODE_TABLE, confidence: isOfCode ? CODE_TABLE_CONFIDENCE : CODE_TABLE_CONFIDENCE / 2 };
}
