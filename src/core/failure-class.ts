/**
 * How a failure is handled, and who is asked when retrying cannot mend it. The rule book of the
 * data-processing layer defines the classes; the escalation policies are written in them.
 */
export const FAILURE_CLASSES = [
  'TRANSIENT',
  'INVALID_REQUEST',
  'PIPELINE_DECISION',
  'QUEUE_PERFORMANCE',
  'WORKFLOW_INTEGRATION',
  'CRITICAL_FAILURE',
  'DATA_CORRUPTION',
] as const;

export type FailureClass = (typeof FAILURE_CLASSES)[number];

/** The classes that somebody is asked about: TRANSIENT passes by itself, and an INVALID_REQUEST needs another request. */
export type AskedClass = Exclude<FailureClass, 'TRANSIENT' | 'INVALID_REQUEST'>;

export const isAsked = (failureClass: FailureClass): failureClass is AskedClass =>
  failureClass !== 'TRANSIENT' && failureClass !== 'INVALID_REQUEST';
