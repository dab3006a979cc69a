import {
  JOB_REPORT,
  type JobHead,
  type JobReport,
  type Operation,
  operation,
  USER_ERRORS,
  type UserError,
} from './operations.js';

export interface JobLine extends JobHead {
  readonly stage: string | null;
  readonly attempt: number;
  readonly createdAt: string;
  readonly progress: { readonly rowsRead: number; readonly rowsLoaded: number; readonly totalRows: number | null };
}

export const LIST_JOBS = operation<
  { readonly jobs: { readonly totalCount: number; readonly edges: readonly { readonly node: JobLine }[] } },
  { readonly filter: Readonly<Record<string, unknown>>; readonly first: number }
>(`
  query ListJobs($filter: JobFilter!, $first: Int!) {
    jobs(filter: $filter, first: $first) {
      totalCount edges { node { id name state stage attempt createdAt progress { rowsRead rowsLoaded totalRows } } }
    }
  }`);

export const SHOW_JOB = operation<
  { readonly job: (JobReport & Pick<JobLine, 'stage'> & ShownJob) | null },
  { readonly jobId: string; readonly rows: number }
>(`
  query ShowJob($jobId: ID!, $rows: Int!) {
    job(id: $jobId) { ${JOB_REPORT} kind owner stage priority maxAttempts dueAt spec
      redrives(last: 1) { number by at error { code } } discard { by at reason } }
  }`);

export interface ShownJob {
  readonly kind: string;
  readonly owner: string;
  readonly priority: number;
  readonly maxAttempts: number;
  readonly dueAt: string | null;
  /** The last one, if any. */
  readonly redrives: readonly {
    readonly number: number;
    readonly by: string;
    readonly at: string;
    readonly error: { readonly code: string } | null;
  }[];
  readonly discard: { readonly by: string; readonly at: string; readonly reason: string } | null;
  readonly spec: unknown;
}

export interface SteeredJob extends JobHead {
  readonly cancelRequested: boolean;
}

/** What every way of steering a job answers. */
export interface Steered {
  readonly steered: { readonly job: SteeredJob | null; readonly userErrors: readonly UserError[] };
}

export type SteerOperation = Operation<
  Steered,
  { readonly input: { readonly id: string; readonly rollback?: boolean } }
>;

const STEERED = `{ job { id name state cancelRequested } ${USER_ERRORS} }`;

export const CANCEL: SteerOperation = operation(
  `mutation CancelJob($input: CancelJobInput!) { steered: cancelJob(input: $input) ${STEERED} }`,
);
export const PAUSE: SteerOperation = operation(
  `mutation PauseJob($input: PauseJobInput!) { steered: pauseJob(input: $input) ${STEERED} }`,
);
export const RESUME: SteerOperation = operation(
  `mutation ResumeJob($input: ResumeJobInput!) { steered: resumeJob(input: $input) ${STEERED} }`,
);
export const RETRY: SteerOperation = operation(
  `mutation RetryJob($input: RetryJobInput!) { steered: retryJob(input: $input) ${STEERED} }`,
);
