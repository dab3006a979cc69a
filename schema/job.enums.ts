import { FAILURE_CLASSES, type FailureClass } from '../src/core/failure-class.js';
import type { OnFailure } from '../src/jobs/hold.js';
import type { JobKind, JobStage, JobState, QuarantineStatus } from '../src/jobs/job.js';
import { describedEnum } from './described-enum.js';

export const JobKindEnum = describedEnum<JobKind>('JobKind', 'What a job does.', {
  ETL: 'Source, steps, expectations, sink.',
  BATCH: 'One operation over many records.',
  STREAM: 'A source that never ends, in micro-batches.',
  WORKFLOW: 'Several jobs that depend on each other.',
});

export const JobStateEnum = describedEnum<JobState>('JobState', 'Where a job stands.', {
  QUEUED: 'Waits for a worker.',
  RUNNING: 'A worker has it.',
  RETRYING: 'Failed for a reason that may pass, or waits for its turn in a redrive; tried again at `dueAt`.',
  PAUSED: 'Held until somebody resumes it.',
  AWAITING_DECISION: 'An escalation is open and holds it.',
  SUCCEEDED: 'Everything is in the target.',
  FAILED: 'Ended without publishing anything more; `error` says why.',
  CANCELLED: 'Stopped on request.',
  DEAD: 'In the dead-letter list: its attempts are used up, or it took its workers down.',
});

export const JobStageEnum = describedEnum<JobStage>('JobStage', 'What a running job is doing.', {
  PLANNING: 'Reads the schema of the source, looks at the target, compiles the steps.',
  EVALUATING: 'Reads every record once: casts, steps, expectations.',
  LOADING: 'Brings chunks into the target, each in one transaction.',
  FINISHING: 'Reconciles the counts and makes the result visible.',
});

export const OnFailureEnum = describedEnum<OnFailure>(
  'OnFailure',
  'What becomes of a job that fails in a way that trying again cannot mend.',
  {
    ESCALATE:
      'It awaits a decision: an escalation asks those who answer for it. Only one that takes its workers down is DEAD at once.',
    FAIL: 'It ends as FAILED or DEAD, and nobody is asked.',
  },
);

const FAILURE_CLASS_MEANINGS: Readonly<Record<FailureClass, string>> = {
  TRANSIENT: 'May pass by itself: tried again with growing waits.',
  INVALID_REQUEST: 'The caller can mend it.',
  PIPELINE_DECISION: 'The data or the target need a decision of the people who answer for them.',
  QUEUE_PERFORMANCE: 'Work piles up faster than it is done.',
  WORKFLOW_INTEGRATION: 'A job, hook or schedule that this one depends on has failed.',
  CRITICAL_FAILURE: 'The system itself is in trouble.',
  DATA_CORRUPTION: 'Data is not what it should be; loads into that target pause.',
};

export const FailureClassEnum = describedEnum<FailureClass>(
  'FailureClass',
  `How a failure is handled, and who is asked; one of ${FAILURE_CLASSES.length} classes.`,
  FAILURE_CLASS_MEANINGS,
);

export const QuarantineStatusEnum = describedEnum<QuarantineStatus>(
  'QuarantineStatus',
  'What became of a row that was set aside.',
  {
    OPEN: 'Nobody has done anything about it.',
    FIXED: 'Somebody has given it values that the pipeline takes; it waits for a replay.',
    REPLAYING: 'A replay loads it. When that ends without success it is OPEN or FIXED again, as before.',
    REPLAYED: 'A replay has loaded it, or has done with it what the pipeline does: filtered it, or set it aside again.',
    DISCARDED: 'Somebody has given it up.',
  },
);
