import type { JobError, JobKind, JobProgress, JobStage, JobState } from './job.js';

/**
 * STATE and STAGE are never dropped. CHUNK (a chunk was committed) is stored too but may be conflated for a
 * subscriber: the latest wins. PROGRESS is not stored and carries the seq of the last stored event.
 * SNAPSHOT opens a subscription; LAGGED tells that events were conflated because the reader is slow.
 */
export const JOB_EVENT_KINDS = ['SNAPSHOT', 'STATE', 'STAGE', 'CHUNK', 'PROGRESS', 'LAGGED'] as const;
export type JobEventKind = (typeof JOB_EVENT_KINDS)[number];

export interface JobEvent {
  readonly jobId: string;
  readonly jobName: string;
  readonly jobKind: JobKind;
  /** Gapless per job, from 1, over stored events. */
  readonly seq: number;
  readonly at: Date;
  readonly kind: JobEventKind;
  readonly state: JobState;
  readonly stage: JobStage | null;
  readonly progress: JobProgress;
  readonly message: string | null;
  readonly error: JobError | null;
}

/** What travels over the bus: a hint that events up to `seq` can be read, or a progress that is not stored. */
export interface JobSignal {
  readonly jobId: string;
  readonly tenant: string;
  readonly seq: number;
  readonly stageProgress?: number;
}

/** Bus topics. A payload is small JSON; whoever misses one finds the truth in Postgres. */
export const TOPICS = { jobs: 'jobs', cancel: 'cancel', queue: 'queue', escalations: 'escalations' } as const;
export type Topic = (typeof TOPICS)[keyof typeof TOPICS];

/** The name of a topic where names are shared with others: PostgreSQL's NOTIFY, Redis channels. */
export const channelOf = (topic: Topic): string => `sluice_${topic}`;
